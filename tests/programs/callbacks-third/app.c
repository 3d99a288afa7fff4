//! Who may call a function may pass it on: calls then go through everybody who
//! did, each with its own rights.
//@ stdout: done 11

#include "check.h"
#include "third.h"

static int calls;

static int own(int n)
{
	calls++;
	return n + 1;
}

static int nested(int n) { return n > 0 ? lib_apply(nested, n - 1) + third_apply(nested, n - 1) : 1; }

int main(void)
{
	/* A gate of the program's into the third one: as the linker knows it. */
	CHECK(lib_apply(third_triple, 5) == 15);
	CHECK(lib_apply(third_triple, 6) == 18);
	/* A function that the third one gave to the program. */
	function *negate = third_function();
	CHECK(negate(4) == -4);
	CHECK(lib_apply(negate, 4) == -4);
	CHECK(third_apply(negate, 4) == -4);
	/* And on from the library to the third one, and back from there. */
	CHECK(lib_pass_on(own, 10) == 11 - 10 && calls == 1);
	CHECK(lib_pass_on(third_triple, 10) == 30 - 10);
	CHECK(lib_pass_on(negate, 10) == -20);
	CHECK(lib_pass_on(own, 20) == 21 - 20 && calls == 2);
	function *back = lib_fetch();
	CHECK(back(7) == 8 && calls == 3);
	CHECK(lib_apply(back, 7) == 8 && calls == 4);
	CHECK(third_apply(back, 8) == 9 && calls == 5);
	CHECK(nested(5) == 32);
	/* Everything went where it belongs: 2 + 3 calls, then 1 + 2 + 2 + 1. */
	printf("done %d\n", third_calls());
}
