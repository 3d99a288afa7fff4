#include <stdio.h>
#include <stdlib.h>

char *name_of(int number);

int main(int argc, char **argv)
{
	char *name = name_of(argc);
	if (!name)
		return 1;
	int length = 0;
	for (int i = 0; i < argc; i++)
		length += snprintf(NULL, 0, "%s", argv[i]);
	if (length > 100)
		puts("long");
	free(name);
	return 0;
}
