#include <stdlib.h>

int name_of(int number, char **name)
{
	*name = malloc(8);
	return *name == NULL;
}

int other(char **name)
{
	*name = malloc(8);
	return *name == NULL;
}
