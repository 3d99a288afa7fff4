#include <signal.h>
#include "work.h"
#include "steps.h"

/* A handler that sometimes fails. Nothing happens when the signal comes while it is not there. */
static void handle(int signal)
{
	static unsigned handled;
	if (__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED) % 8 == 0)
		*(volatile int *)NULL = signal;
}

__attribute__((constructor)) static void install(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	sigaction(SIGURG, &action, NULL);
}

STEP(5) { return work(5, 1, through_gates, seed, depth, fails, data, size); }
