//! 64 threads, seven cubicles, random trees of calls that lend, signals all the time, memory that
//! runs out, and two cubicles that start anew: every result is that of the plain functions.
//! Arguments: seconds and a seed; the same seed makes the same calls.
//@ stdout: 64 threads, every result right
//@ stdout: app and a cubicle handled signals
//@ stdout: nothing grew
//@ restarts: any

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "check.h"
#include "work.h"
#include "steps.h"

enum { THREADS = 64, DEPTH = 4, ROUNDS = 4 };

static long seconds = 2;
static unsigned long seed = 1;
static long right, wrong, failed, exhausted, handled;
static int stop;

static void count(long *what) { __atomic_add_fetch(what, 1, __ATOMIC_RELAXED); }

static void handle(int signal)
{
	(void)signal;
	count(&handled);
}

static long plain(int who, unsigned long from, int depth, int fails, unsigned char *data, unsigned long size)
{
	return work(who, 0, plain, from, depth, fails, data, size);
}

static void fill(unsigned char *data, unsigned long size, unsigned long state)
{
	for (unsigned long i = 0; i < size; i++)
		data[i] = (unsigned char)(state >> i % 56);
}

/* One tree of calls: the first time with failures, and again until it has a result. */
static void compare(unsigned long tree)
{
	unsigned char data[LARGEST], expected[LARGEST];
	unsigned long state = tree;
	unsigned long size = 1 + mix(&state) % LARGEST;
	int who = 1 + (int)(mix(&state) % CUBICLES), depth = (int)(mix(&state) % DEPTH);
	fill(expected, size, tree);
	long wanted = plain(who, tree, depth, 0, expected, size);
	long result;
	for (int fails = 1;; fails = 0) {
		fill(data, size, tree);
		result = through_gates(who, tree, depth, fails, data, size);
		if (result != FAILED && result != EXHAUSTED)
			break;
		count(result == FAILED ? &failed : &exhausted);
		sched_yield();
	}
	if (result == wanted && memcmp(data, expected, size) == 0) {
		count(&right);
	} else {
		count(&wrong);
		printf("tree %#lx, seed %lu: %#lx instead of %#lx\n", tree, seed, result, wanted);
	}
}

static pthread_barrier_t all_inside;

static void *run(void *argument)
{
	unsigned long state = *(unsigned long *)argument;
	/* Its first entry into each, for which there must be room. */
	for (int who = 1; who <= CUBICLES; who++) {
		unsigned char byte = 0;
		through_gates(who, state, 0, 0, &byte, 1);
	}
	pthread_barrier_wait(&all_inside);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		compare(mix(&state));
	return NULL;
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Creates all threads, has them work, and sends them signals until they must end. */
static void round_of_threads(unsigned long number)
{
	pthread_t threads[THREADS];
	unsigned long seeds[THREADS], state = seed * ROUNDS + number;
	__atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
	CHECK(pthread_barrier_init(&all_inside, NULL, THREADS + 1) == 0);
	for (int i = 0; i < THREADS; i++) {
		seeds[i] = mix(&state);
		CHECK(pthread_create(&threads[i], NULL, run, &seeds[i]) == 0);
	}
	pthread_barrier_wait(&all_inside);
	for (double end = now() + (double)seconds / ROUNDS; now() < end;) {
		static const int signals[] = {SIGUSR1, SIGUSR2, SIGURG};
		pthread_kill(threads[mix(&state) % THREADS], signals[mix(&state) % 3]);
		usleep(500);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	pthread_barrier_destroy(&all_inside);
}

/* Kilobytes of memory that the process has. */
static long resident(void)
{
	long all, pages;
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file != NULL && fscanf(file, "%ld %ld", &all, &pages) == 2);
	fclose(file);
	return pages * 4;
}

int main(int argc, char **arguments)
{
	if (argc > 1)
		seconds = atol(arguments[1]);
	if (argc > 2)
		seed = strtoul(arguments[2], NULL, 10);
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
	round_of_threads(0);
	round_of_threads(1);
	long before = resident();
	/* On a busy machine little happens in a round: then there are more, until everything has happened. */
	for (unsigned long i = 2; i < ROUNDS || (i < 3 * ROUNDS && (failed == 0 || exhausted == 0)); i++)
		round_of_threads(i);
	CHECK(right > 0 && wrong == 0 && failed > 0 && exhausted > 0);
	printf("%d threads, every result right\n", THREADS);
	CHECK(handled > 0 && signals_handled() > 0);
	puts("app and a cubicle handled signals");
	long after = resident();
	if (after - before > 16000)
		printf("from %ld to %ld KiB, seed %lu\n", before, after, seed);
	puts("nothing grew");
	if (argc > 3)
		printf("%ld trees, %ld failed, %ld exhausted, signals %ld and %ld, %ld KiB\n", right, failed, exhausted, handled,
		       signals_handled(), after);
	return 0;
}
