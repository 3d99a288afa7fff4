//! Threads of a library call the program back, which did not create them: there they
//! have a stack, thread-locals and destructors of their own, and may call on, wait,
//! create threads themselves, or end the process.
//@ run: call
//@ stdout: each had its own, and 12 were destroyed
//@ stdout: app: at exit
//@ stdout: pool: destructor
//@ run: nest
//@ stdout: 720
//@ stdout: app: at exit
//@ stdout: pool: destructor
//@ run: wait
//@ stdout: all met
//@ stdout: app: at exit
//@ stdout: pool: destructor
//@ run: exit
//@ status: 7
//@ stdout: app: exits
//@ stdout: app: at exit
//@ stdout: pool: destructor
//@ run: mixed
//@ stdout: 4 of ours with 3 of theirs each
//@ stdout: app: at exit
//@ stdout: pool: destructor

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "pool.h"

enum { THREADS = 12 };

static __thread long mine;
static pthread_key_t key;
static int destroyed;
static pthread_barrier_t barrier;

static void destroy(void *value)
{
	free(value);
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
}

static long own(long number, void *data)
{
	CHECK(mine == 0);
	mine = number + 1;
	pthread_setspecific(key, malloc(100));
	for (int round = 0; round < 200; round++)
		CHECK(pool_add(number, round) == number + round);
	CHECK(data == &barrier);
	return mine == number + 1;
}

static long nests(long number, void *data)
{
	(void)number;
	long depth = (long)data;
	return depth == 0 ? 1 : depth * pool_run(nests, (void *)(depth - 1), 1);
}

static long waits(long number, void *data)
{
	(void)data;
	pthread_barrier_wait(&barrier);
	return number;
}

static long exits(long number, void *data)
{
	(void)data;
	if (number == 1) {
		puts("app: exits");
		exit(7);
	}
	return 0;
}

static long one(long number, void *data)
{
	(void)number;
	return data == NULL;
}

static void *mixes(void *nothing)
{
	long sum = 0;
	for (int round = 0; round < 20; round++)
		sum += pool_run(one, nothing, 3) == 3;
	return (void *)(long)(sum == 20);
}

static void at_exit(void) { puts("app: at exit"); }

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	atexit(at_exit);
	pthread_key_create(&key, destroy);
	if (strcmp(how, "call") == 0) {
		CHECK(pool_run(own, &barrier, THREADS) == THREADS);
		printf("each had its own, and %d were destroyed\n", destroyed);
	}
	if (strcmp(how, "nest") == 0)
		printf("%ld\n", nests(0, (void *)6));
	if (strcmp(how, "wait") == 0) {
		pthread_barrier_init(&barrier, NULL, THREADS);
		CHECK(pool_run(waits, NULL, THREADS) == THREADS * (THREADS - 1) / 2);
		puts("all met");
	}
	if (strcmp(how, "exit") == 0)
		pool_run(exits, NULL, 3);
	if (strcmp(how, "mixed") == 0) {
		pthread_t threads[4];
		int sum = 0;
		for (int i = 0; i < 4; i++)
			CHECK(pthread_create(&threads[i], NULL, mixes, NULL) == 0);
		for (int i = 0; i < 4; i++) {
			void *result;
			CHECK(pthread_join(threads[i], &result) == 0);
			sum += (int)(long)result;
		}
		printf("%d of ours with 3 of theirs each\n", sum);
	}
	return 0;
}
