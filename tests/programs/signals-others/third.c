#include <signal.h>

static volatile sig_atomic_t handled;

static void count(int signal)
{
	(void)signal;
	handled++;
}

/* A constructor: the cubicle has not been entered yet when the signal comes. */
__attribute__((constructor)) static void early(void) { signal(SIGUSR1, count); }

void third_install(int number) { (void)number; }
int third_handled(void) { return handled; }
