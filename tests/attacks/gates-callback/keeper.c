#include <stdio.h>

void app_hook(void);

static int armed;

void keeper_arm(void) { armed = 1; }

static long keeper_open(long *data, long where)
{
	if (armed) {
		printf("keeper was opened: %ld\n", where);
		fflush(stdout);
	}
	if (where)
		app_hook();
	(void)data;
	return 42;
}

long (*keeper_give(void))(long *, long) { return keeper_open; }
