#include <signal.h>
#include <stddef.h>
#include "lib.h"

static int how;
static long counted;

static void fails(int signal)
{
	(void)signal;
	if (how == CALLS)
		app_in_handler();
	*(volatile long *)NULL = 1;
}

long lib_installs(int wanted)
{
	how = wanted;
	return signal(SIGURG, fails) == SIG_ERR;
}

long lib_calls_app(void)
{
	app_called();
	return 5;
}

long lib_fails(void) { return *(volatile long *)NULL; }

long lib_counts(void) { return ++counted; }
