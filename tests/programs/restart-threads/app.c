//! A library that fails again and again under four threads: each call returns what it
//! should, or that it has failed; none hangs, and nothing grows.
//@ run: 250
//@ stdout: 1000 failures, every other call right or failed
//@ stdout: right at the end
//@ stdout: nothing grew
//@ restarts: any

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "check.h"
#include "lib.h"

enum { THREADS = 4, CALLS = 8, COUNT = 3000 };

/* Of each thread. */
static int failures_wanted;

static int numbers[COUNT];
static long failures, right, wrong;

static void count(long *what) { __atomic_add_fetch(what, 1, __ATOMIC_RELAXED); }

static void judge(long result, long wanted, int fails)
{
	if (result == -1) {
		if (fails)
			count(&failures);
	} else if (!fails && result == wanted) {
		count(&right);
	} else {
		count(&wrong);
		printf("%ld instead of %ld\n", result, wanted);
	}
}

static void *work(void *argument)
{
	long own = (long)argument;
	for (int turn = 0; turn < failures_wanted; turn++) {
		for (int call = 0; call < CALLS; call++) {
			int fails = call == (turn + own) % CALLS;
			switch ((call + turn) % 3) {
			case 0:
				judge(lib_sum(numbers, COUNT, fails), (long)COUNT * (COUNT - 1) / 2, fails);
				break;
			case 1:
				judge(lib_double(own + turn, fails), 2 * (own + turn), fails);
				break;
			default:
				judge(lib_through(own + turn, fails), 2 * (own + turn), fails);
			}
		}
	}
	return NULL;
}

static void round_of_threads(void)
{
	pthread_t threads[THREADS];
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

/* Kilobytes of memory that the process had at most. */
static long most(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int main(int count, char **arguments)
{
	failures_wanted = count > 1 ? atoi(arguments[1]) : 1;
	for (int i = 0; i < COUNT; i++)
		numbers[i] = i;
	round_of_threads();
	long before = most();
	printf("%ld failures, every other call right or failed\n", failures);
	CHECK(wrong == 0 && right > 0);
	CHECK(lib_through(21, 0) == 42);
	CHECK(lib_sum(numbers, 10, 0) == 45);
	puts("right at the end");
	round_of_threads();
	CHECK(wrong == 0 && failures == 2 * THREADS * failures_wanted);
	CHECK(most() - before < 8000);
	puts("nothing grew");
	return 0;
}
