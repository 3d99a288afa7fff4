#include <stddef.h>
#include "lib.h"

static int calls;

int other_call_lib(int deep, int *then)
{
	(void)then;
	calls++;
	if (deep > 0)
		return lib_through(deep - 1);
	int result = lib_fail(READ_NULL, NULL);
	/* This cubicle goes on, and the library is not there yet. */
	if (lib_count() != -1)
		return -200;
	calls--;
	return calls == 0 ? result : -201;
}
