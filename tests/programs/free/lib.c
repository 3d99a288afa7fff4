#include <stdlib.h>

char *lib_new(unsigned long size)
{
	return malloc(size);
}

void lib_free(char *memory)
{
	free(memory);
}

char *lib_move(char *memory)
{
	return realloc(memory, 200);
}
