#include <stdio.h>

long (*keeper_give(void))(long *data, long where);

static long (*opener)(long *, long);
static int leapt;

void vault_use(long where)
{
	long data = 5;
	if (!opener)
		opener = keeper_give();
	long result = opener(&data, where);
	if (where != 0 || leapt) {
		printf("vault goes on with %ld\n", result);
		fflush(stdout);
	}
	leapt = where != 0;
}

long vault_stub(void) { return (long)opener; }
