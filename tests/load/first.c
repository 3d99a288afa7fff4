#include <signal.h>
#include "work.h"
#include "steps.h"

static long handled;

static void handle(int signal)
{
	(void)signal;
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void install(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	sigaction(SIGUSR1, &action, NULL);
}

long signals_handled(void) { return __atomic_load_n(&handled, __ATOMIC_RELAXED); }

STEP(1) { return work(1, 0, through_gates, seed, depth, fails, data, size); }
