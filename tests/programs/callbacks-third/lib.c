#include "check.h"
#include "third.h"

int lib_apply(function *call, int n) { return call(n); }

/* What it was given, and what a third cubicle gave it. */
int lib_pass_on(function *call, int n)
{
	third_keep(call);
	CHECK(third_kept() == call);
	return third_apply(call, n) + third_apply(third_function(), n);
}

function *lib_fetch(void) { return third_kept(); }
