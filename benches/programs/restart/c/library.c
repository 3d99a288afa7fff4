#include <stddef.h>
#include "library.h"

/* A megabyte that is in use, as in a library with tables. */
static char tables[1 << 20];

int library_call(int fail)
{
	for (size_t i = 0; i < sizeof tables; i += 4096)
		tables[i]++;
	if (fail)
		__builtin_trap();
	return tables[0];
}
