#include <setjmp.h>
#include "check.h"

long app_back(long);

static int calls;

static void deep(jmp_buf point, int n, int value)
{
	volatile char space[200];
	space[0] = (char)n;
	if (n == 0)
		longjmp(point, value);
	deep(point, n - 1, value);
	CHECK(space[0] == (char)n);
}

int lib_inside(int n)
{
	jmp_buf point;
	int value = setjmp(point);
	if (value == 0)
		deep(point, 20, n + 1);
	return value;
}

/* Jumps, within this cubicle, after a call out has returned. */
int lib_out_and_back(int n)
{
	jmp_buf point;
	int value = setjmp(point);
	if (value == 0) {
		long got = app_back(n);
		deep(point, 20, (int)got + 1);
	}
	return value;
}

long lib_call_back(long n)
{
	if (n < 0)
		calls++;
	return app_back(n);
}

int lib_calls(void) { return calls; }
