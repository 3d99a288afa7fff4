#include <stdlib.h>

int name_of(int number, char **name);
int other(char **name);

int main(int argc, char **argv)
{
	char *name, *second = NULL;
	if (name_of(argc, &name))
		return 1;
	free(name);
	if (other(&second))
		return 1;
	free(second);
	return 0;
}
