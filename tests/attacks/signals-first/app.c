//! A signal of h's finds v, and h has no thread there yet. While the monitor makes one, h's new
//! thread sends another signal, whose handler is app's, with its stack pointer in v's data. What
//! the monitor keeps of v must stay v's: v would run on its own data as its stack, and app's
//! handler with h's rights.
//@ stdout: v keeps its stack
//@ without: signal-places
//@ then: stdout: v's stack is in its data

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "attack.h"

static pid_t first;

static void *interrupt(void *nothing)
{
	/* app's handler is text of h's. */
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = (void (*)(int))h_prepares(first, v_data());
	sigaction(SIGBUS, &action, NULL);
	while (!v_spins())
		usleep(1000);
	usleep(50000);
	syscall(SYS_tgkill, getpid(), first, SIGUSR1);
	sleep(2);
	puts("v keeps its stack");
	fflush(stdout);
	_exit(0);
	return nothing;
}

int main(void)
{
	pthread_t thread;
	first = gettid();
	if (pthread_create(&thread, NULL, interrupt, NULL) != 0)
		return 2;
	v_spin();
	return 0;
}
