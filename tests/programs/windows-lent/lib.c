#include <string.h>
#include "lib.h"

void lib_fill(char *at, size_t size, function *call)
{
	memset(at, 1, size);
	call();
	memset(at, 2, size);
}
