#include <stdio.h>

long keeper_open(long *data, long where);

static int leapt;

void vault_use(long where)
{
	long data = 5;
	long result = keeper_open(&data, where);
	if (where != 0 || leapt) {
		printf("vault goes on with %ld\n", result);
		fflush(stdout);
	}
	leapt = where != 0;
}
