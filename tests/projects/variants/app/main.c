#include <cubicle.h>
#include <stdio.h>

int core_reads(int in_place);
int core_finds_window(void);

/* With an argument, the core reads what is the disk's own. */
int main(int count, char **words)
{
	(void)words;
	printf("part %d, window %s\n", core_reads(0), core_finds_window() ? "there" : "gone");
	fflush(stdout);
	if (count > 1)
		printf("in place %d\n", core_reads(1));
	return 0;
}
