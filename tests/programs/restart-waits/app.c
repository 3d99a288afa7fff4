//! Threads that wait in a library for the kernel, or loop, when it fails on another thread: their
//! calls fail at once. Who waits in a third cubicle, or in the program, which the library has called,
//! does not notice; the calls fail when these return. `first`: the first thread loops, which has
//! started all cubicles.
//@ restarts: any
//@ run: others
//@ stdout: round 1: -1 -1 -1 -1 -1 -1, then -1 -1 -1, then 42
//@ stdout: round 2: -1 -1 -1 -1 -1 -1, then -1 -1 -1, then 42
//@ stdout: round 3: -1 -1 -1 -1 -1 -1, then -1 -1 -1, then 42
//@ run: first
//@ stdout: the first thread: -1
//@ restarts: 1

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "lib.h"

enum { HANG = 6, COME_BACK = 3, ALL = HANG + COME_BACK };

/* Nothing comes out of the first one, until the end. */
static int empty[2], later[2], released[2];
static int done[ALL];

void app_waits(void)
{
	char byte;
	CHECK(read(released[0], &byte, 1) == 1);
}

static long reads(void) { return lib_reads(empty[0]); }
static long polls(void) { return lib_polls(empty[0]); }
static long calls_other(void) { return lib_calls_other(later[0]); }

static long (*const waits[ALL])(void) = {
	reads, polls, lib_sleeps, lib_waits_for_signal, lib_waits_for_lock, lib_loops, calls_other, lib_calls_loop, lib_calls_app,
};
static long results[ALL];

static void *wait(void *which)
{
	long i = (long)which;
	results[i] = waits[i]();
	__atomic_store_n(&done[i], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *fail_later(void *nothing)
{
	while (lib_about() < 1)
		usleep(1000);
	usleep(50000);
	CHECK(lib_fails() == -1);
	return nothing;
}

int main(int count, char **arguments)
{
	if (count > 1 && strcmp(arguments[1], "first") == 0) {
		pthread_t thread;
		CHECK(pthread_create(&thread, NULL, fail_later, NULL) == 0);
		printf("the first thread: %ld\n", lib_loops());
		CHECK(pthread_join(thread, NULL) == 0);
		return 0;
	}
	CHECK(pipe(empty) == 0 && pipe(later) == 0 && pipe(released) == 0);
	for (int round = 1; round <= 3; round++) {
		pthread_t threads[ALL];
		char byte = 0;
		for (long i = 0; i < ALL; i++) {
			done[i] = 0;
			CHECK(pthread_create(&threads[i], NULL, wait, (void *)i) == 0);
		}
		while (lib_about() < ALL)
			usleep(1000);
		/* They have said that they are about to. */
		usleep(50000);
		CHECK(lib_fails() == -1);
		for (int i = 0; i < HANG; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
		for (int i = HANG; i < ALL; i++)
			CHECK(!__atomic_load_n(&done[i], __ATOMIC_SEQ_CST));
		other_ends_loop();
		CHECK(write(later[1], &byte, 1) == 1 && write(released[1], &byte, 1) == 1);
		for (int i = HANG; i < ALL; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
		CHECK(read(later[0], &byte, 1) == 1);
		long doubled = lib_double(21);
		printf("round %d: %ld %ld %ld %ld %ld %ld, then %ld %ld %ld, then %ld\n", round, results[0], results[1], results[2],
			results[3], results[4], results[5], results[6], results[7], results[8], doubled);
	}
	return 0;
}
