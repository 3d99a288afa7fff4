#include <stdlib.h>

static void *allocate(size_t size)
{
	return malloc(size ? size : 1);
}

__attribute__((noinline)) char *name_of(int number)
{
	if (number < 0)
		return NULL;
	char *name = allocate(8);
	if (name)
		name[0] = 0;
	return name;
}
