#include <errno.h>
#include <signal.h>
#include "check.h"

int app_seen(int);

static volatile sig_atomic_t handled;

double lib_sum(long *numbers, double factor, long a, long b, long c, long d, long on_stack, long last)
{
	(void)numbers;
	return factor * (a + b + c + d + on_stack + last) + 3.5;
}

int lib_each(int (*function)(int), int times)
{
	int sum = 0;
	for (int i = 0; i < times; i++)
		sum += function(i);
	return sum;
}

static void handler(int signal)
{
	(void)signal;
	int before = errno;
	CHECK(app_seen(4) == 5);
	errno = before;
	handled++;
}

void lib_install(void) { signal(SIGUSR1, handler); }
int lib_handled(void) { return handled; }
void lib_touch(volatile int *page) { page[7]++; }
