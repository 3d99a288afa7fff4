#include <string.h>
#include "lib.h"

/* Its own copy is its own to use. */
void third_look(const char *at, size_t size, function *call)
{
	memset((char *)at, 's', size);
	call();
}
