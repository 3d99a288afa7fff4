#include <stdlib.h>

static void release(void *memory)
{
	if (memory)
		free(memory);
}

int take(char *text)
{
	int empty = text[0] == 0;
	release(text);
	return empty;
}

int take_copy(char *text)
{
	int empty = text[0] == 0;
	free(text);
	return empty;
}
