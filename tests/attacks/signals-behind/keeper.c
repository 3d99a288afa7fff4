#include <stdio.h>

void app_hook(void);

static int armed;

void keeper_arm(void) { armed = 1; }

long keeper_open(long *data, long where)
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
