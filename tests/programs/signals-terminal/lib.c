#include <signal.h>

int app_goes_on(void);

static volatile sig_atomic_t handled;

static void handle(int signal) { handled = signal; }

void lib_installs(void) { signal(SIGINT, handle); }
int lib_handled(void) { return handled; }

void lib_works(void)
{
	do
		for (volatile int i = 0; i < 20000; i++)
			;
	while (app_goes_on());
}
