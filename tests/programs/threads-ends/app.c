//! How threads end: by return, pthread_exit, from inside of a callback, cancelled while they wait or
//! compute; a robust mutex of one that ended; and by a library that ends the thread of its
//! caller, which is refused.
//@ run: exit
//@ stdout: exited, and 1 destroyed there
//@ run: callback
//@ stdout: exited from a callback, and 1 destroyed there
//@ run: lent
//@ stdout: what it had lent is its own again
//@ run: cancel
//@ stdout: cancelled while it waited, and 1 destroyed there
//@ stdout: cancelled while it read, and 2 destroyed there
//@ run: robust
//@ stdout: its owner died
//@ run: lib
//@ violation: kind=system-call cubicle=lib chain=lib_leave
//@ report: ended a thread that is not its own
//@ run: main
//@ stdout: main has ended before
//@ status: 0
//@ run: wait-in-exit
//@ stdout: exit waits for nobody
//@ status: 3

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"
#include "lib.h"

static pthread_barrier_t barrier;
static pthread_mutex_t robust, mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int ends[2], cleaned;

static void clean(void *nothing)
{
	(void)nothing;
	cleaned++;
}

static void *exits(void *value)
{
	lib_enter();
	pthread_exit(value);
}

static long back(long value)
{
	pthread_exit((void *)value);
}

static void *exits_inside(void *value)
{
	lib_enter();
	lib_calls(back, (long)value);
	return NULL;
}

enum { LENT = 1 << 20 };

/* So large that it changes hands for the call instead of being copied. */
static void *exits_while_it_lends(void *data)
{
	lib_holds(data, LENT, back);
	return NULL;
}

static void *waits(void *nothing)
{
	lib_enter();
	pthread_cleanup_push(clean, NULL);
	pthread_mutex_lock(&mutex);
	pthread_barrier_wait(&barrier);
	pthread_cond_wait(&never, &mutex);
	pthread_mutex_unlock(&mutex);
	pthread_cleanup_pop(0);
	return nothing;
}

static void *reads(void *nothing)
{
	char byte;
	lib_enter();
	pthread_cleanup_push(clean, NULL);
	pthread_barrier_wait(&barrier);
	CHECK(read(ends[0], &byte, 1) == 1);
	pthread_cleanup_pop(0);
	return nothing;
}

static void *locks(void *nothing)
{
	lib_enter();
	CHECK(pthread_mutex_lock(&robust) == 0);
	return nothing;
}

static void *leaves(void *nothing)
{
	lib_leave();
	return nothing;
}

static void *last(void *main_thread)
{
	CHECK(pthread_join(*(pthread_t *)main_thread, NULL) == 0);
	lib_enter();
	puts("main has ended before");
	return NULL;
}

static void *sleeps(void *nothing)
{
	lib_enter();
	for (;;)
		pause();
	return nothing;
}

static void *run(void *(*function)(void *), void *argument, int cancel)
{
	pthread_t thread;
	void *result;
	CHECK(pthread_create(&thread, NULL, function, argument) == 0);
	if (cancel) {
		pthread_barrier_wait(&barrier);
		usleep(10000);
		CHECK(pthread_cancel(thread) == 0);
	}
	CHECK(pthread_join(thread, &result) == 0);
	return result;
}

int main(int count, char **arguments)
{
	static pthread_t self, other;
	const char *how = count > 1 ? arguments[1] : "";
	pthread_barrier_init(&barrier, NULL, 2);
	self = pthread_self();
	if (strcmp(how, "exit") == 0) {
		CHECK(run(exits, &barrier, 0) == &barrier);
		printf("exited, and %d destroyed there\n", lib_destroyed());
	}
	if (strcmp(how, "callback") == 0) {
		CHECK(run(exits_inside, &barrier, 0) == &barrier);
		printf("exited from a callback, and %d destroyed there\n", lib_destroyed());
	}
	if (strcmp(how, "lent") == 0) {
		char *data = mmap(NULL, LENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(data != MAP_FAILED);
		CHECK(run(exits_while_it_lends, data, 0) == (void *)7);
		CHECK(data[0] == 'h' && data[LENT - 1] == 'h');
		CHECK(munmap(data, LENT) == 0);
		puts("what it had lent is its own again");
	}
	if (strcmp(how, "cancel") == 0) {
		CHECK(run(waits, NULL, 1) == PTHREAD_CANCELED);
		CHECK(cleaned == 1 && pthread_mutex_trylock(&mutex) == EBUSY);
		printf("cancelled while it waited, and %d destroyed there\n", lib_destroyed());
		CHECK(pipe(ends) == 0);
		CHECK(run(reads, NULL, 1) == PTHREAD_CANCELED);
		CHECK(cleaned == 2);
		printf("cancelled while it read, and %d destroyed there\n", lib_destroyed());
	}
	if (strcmp(how, "robust") == 0) {
		pthread_mutexattr_t attributes;
		pthread_mutexattr_init(&attributes);
		pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
		CHECK(pthread_mutex_init(&robust, &attributes) == 0);
		run(locks, NULL, 0);
		if (pthread_mutex_lock(&robust) == EOWNERDEAD)
			puts("its owner died");
		CHECK(pthread_mutex_consistent(&robust) == 0 && pthread_mutex_unlock(&robust) == 0);
	}
	if (strcmp(how, "lib") == 0)
		run(leaves, NULL, 0);
	if (strcmp(how, "main") == 0) {
		CHECK(pthread_create(&other, NULL, last, &self) == 0);
		pthread_exit(NULL);
	}
	if (strcmp(how, "wait-in-exit") == 0) {
		for (int i = 0; i < 5; i++)
			CHECK(pthread_create(&other, NULL, sleeps, NULL) == 0);
		usleep(10000);
		puts("exit waits for nobody");
		return 3;
	}
	return 0;
}
