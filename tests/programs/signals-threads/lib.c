#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include "check.h"

static atomic_int ready, stop;
static int ends[2];
static pthread_t thread;

int lib_add(int a, int b) { return a + b; }

static void *reads(void *nothing)
{
	char byte;
	ready = 1;
	CHECK(read(ends[0], &byte, 1) != 1);
	return nothing;
}

int lib_cancels(void)
{
	CHECK(pipe(ends) == 0);
	CHECK(pthread_create(&thread, NULL, reads, NULL) == 0);
	while (!ready)
		sched_yield();
	usleep(10000);
	CHECK(pthread_cancel(thread) == 0);
	void *result = NULL;
	CHECK(pthread_join(thread, &result) == 0);
	return result == PTHREAD_CANCELED;
}

static void *spins(void *nothing)
{
	ready = 1;
	while (!stop)
		__asm__ volatile("");
	return nothing;
}

/* A thread that has never been in app. */
void lib_starts(void)
{
	CHECK(pthread_create(&thread, NULL, spins, NULL) == 0);
	while (!ready)
		sched_yield();
}

int lib_kill(int signal) { return pthread_kill(thread, signal); }

void lib_stops(void)
{
	stop = 1;
	pthread_join(thread, NULL);
}
