#include <string.h>
#include "lib.h"

void lib_fill(char *to, size_t size, function *call)
{
	memset(to, 'l', size);
	call();
}
