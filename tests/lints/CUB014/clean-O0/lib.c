#include <stdlib.h>
#include <string.h>

char *make(int number)
{
	return calloc(number, 8);
}

void drop(char *name)
{
	free(name);
}

int fill(char *text, int size)
{
	memset(text, 0, size);
	return 0;
}

int update(char **text)
{
	return *text == NULL;
}
