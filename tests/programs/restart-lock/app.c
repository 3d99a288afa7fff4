//! Threads that wait in a library for a lock and for a condition when whoever they wait for
//! fails there: their calls fail, too, none hangs, and the library starts anew.
//@ stdout: round 1: -1 -1 -1, then 42
//@ stdout: round 2: -1 -1 -1, then 42
//@ stdout: round 3: -1 -1 -1, then 42
//@ restarts: any

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include "check.h"
#include "lib.h"

static void *hold(void *result)
{
	*(long *)result = lib_hold_and_fail(2);
	return NULL;
}

static void *wait_for_lock(void *result)
{
	*(long *)result = lib_wait_for_lock();
	return NULL;
}

static void *wait_for_news(void *result)
{
	*(long *)result = lib_wait_for_news();
	return NULL;
}

int main(void)
{
	void *(*const works[])(void *) = {hold, wait_for_lock, wait_for_news};
	for (int round = 1; round <= 3; round++) {
		pthread_t threads[3];
		long results[3], doubled;
		for (int i = 0; i < 3; i++)
			CHECK(pthread_create(&threads[i], NULL, works[i], &results[i]) == 0);
		for (int i = 0; i < 3; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
		while ((doubled = lib_double(21)) == -1)
			sched_yield();
		printf("round %d: %ld %ld %ld, then %ld\n", round, results[0], results[1], results[2], doubled);
	}
	return 0;
}
