#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>
#include "lib.h"

static int about;
static sem_t never;

static void note(void) { __atomic_add_fetch(&about, 1, __ATOMIC_SEQ_CST); }

int lib_about(void) { return __atomic_load_n(&about, __ATOMIC_SEQ_CST); }

long lib_reads(int descriptor)
{
	char byte;
	note();
	return read(descriptor, &byte, 1);
}

long lib_polls(int descriptor)
{
	struct pollfd wanted = {descriptor, POLLIN, 0};
	note();
	return poll(&wanted, 1, -1);
}

long lib_sleeps(void)
{
	note();
	return sleep(1000);
}

long lib_waits_for_signal(void)
{
	sigset_t all;
	int signal;
	sigfillset(&all);
	note();
	return sigwait(&all, &signal);
}

long lib_waits_for_lock(void)
{
	note();
	return sem_wait(&never);
}

long lib_loops(void)
{
	note();
	for (;;)
		__asm__ volatile("");
}

long lib_calls_other(int descriptor)
{
	note();
	return other_polls(descriptor);
}

long lib_calls_loop(void)
{
	note();
	return other_loops();
}

long lib_calls_app(void)
{
	note();
	app_waits();
	return 5;
}

long lib_fails(void) { return *(volatile long *)NULL; }

long lib_double(long number) { return 2 * number; }
