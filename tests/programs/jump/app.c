//! setjmp and longjmp inside a cubicle, also over frames that called out.
//@ stdout: done 200 200

#include <setjmp.h>
#include "check.h"

int lib_inside(int);
int lib_out_and_back(int);
int lib_calls(void);
long lib_call_back(long);

static jmp_buf point;
static int jumps;

/* Called by the library, which app called: jumps over all of that. */
long app_back(long n)
{
	if (n < 0) {
		jumps++;
		longjmp(point, 1);
	}
	return n + 1;
}

static long lib_then_jump(long n)
{
	if (setjmp(point))
		return 1000 + n;
	return lib_call_back(-1);
}

int main(void)
{
	for (int i = 0; i < 200; i++) {
		CHECK(lib_inside(i) == i + 1);
		CHECK(lib_out_and_back(i) == i + 2);
		CHECK(lib_call_back(i) == i + 1);
		/* The library's frames for this call are left behind; the next
		 * call must work all the same. */
		CHECK(lib_then_jump(i) == 1000 + i);
		CHECK(lib_call_back(5) == 6);
	}
	printf("done %d %d\n", jumps, lib_calls());
}
