#include <stdlib.h>
#include <string.h>

char *make(int number);
void drop(char *name);
int fill(char *text, int size);
int update(char **text);

/* Each side frees what it allocated itself. */
int main(int argc, char **argv)
{
	char *theirs = make(argc);
	char *mine = malloc(64);
	char *own = strdup(argv[0]);
	int failed = fill(mine, 64) + update(&own);
	free(own);
	drop(theirs);
	if (argc > 1)
		theirs = mine;
	else
		free(mine);
	return failed + (theirs == mine);
}
