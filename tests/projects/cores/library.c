#include <stdlib.h>

static int give_up(int how)
{
	/* A call of the monitor. */
	if (how == 0)
		abort();
	/* A fault, which the monitor handles. */
	*(volatile int *)16 = how;
	return how;
}

int library_end(int how) { return give_up(how) + 1; }
