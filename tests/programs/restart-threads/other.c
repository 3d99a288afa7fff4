#include "lib.h"

static __thread long deep;

long other_double(long value, int fail)
{
	deep++;
	long result = lib_double(value, fail);
	/* Whatever the library does, this goes on. */
	deep--;
	return deep == 0 ? result : -1000;
}
