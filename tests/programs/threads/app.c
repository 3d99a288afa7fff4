//! Threads of the main cubicle call others: each has a thread of its own there,
//! with its own stack, thread-locals, errno and id.
//@ run: few
//@ stdout: 8 threads were right
//@ run: locals
//@ stdout: each thread has its own
//@ run: nested
//@ stdout: through two cubicles
//@ run: detached
//@ stdout: 16 detached threads were right
//@ run: exits
//@ stdout: the last thread ended

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "threads.h"

enum { THREADS = 8, ROUNDS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t together;
static int right, done;

static void count(int ok)
{
	pthread_mutex_lock(&lock);
	right += ok;
	done++;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static void *adds(void *argument)
{
	int own = (int)(long)argument, ok = 1;
	for (int round = 0; round < ROUNDS; round++)
		ok &= lib_add(own, round) == own + round;
	return (void *)(long)ok;
}

static void *owns(void *argument)
{
	long own = (long)argument;
	errno = 0;
	long first = lib_own(own), ok = first == 0 && errno == 0;
	for (int round = 0; round < ROUNDS; round++)
		ok &= lib_own(own) == own;
	((void **)argument)[0] = (void *)lib_place();
	/* Places are used again once their thread has ended. */
	pthread_barrier_wait(&together);
	return (void *)ok;
}

static void *nests(void *argument)
{
	long own = (long)argument, ok = 1;
	for (int round = 0; round < ROUNDS; round++)
		ok &= lib_through(own + round) == 2 * (own + round) + 1;
	return (void *)ok;
}

static void *detached(void *argument)
{
	count(adds(argument) != NULL);
	return NULL;
}

static int all(void *(*function)(void *), void **arguments)
{
	pthread_t threads[THREADS];
	int sum = 0;
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, function, arguments[i]) == 0);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		CHECK(pthread_join(threads[i], &result) == 0);
		sum += (int)(long)result;
	}
	return sum;
}

static void *last(void *nothing)
{
	usleep(20000);
	lib_add(1, 2);
	puts("the last thread ended");
	return nothing;
}

int main(int number, char **arguments)
{
	const char *how = number > 1 ? arguments[1] : "";
	void *places[THREADS], *numbers[THREADS];
	for (long i = 0; i < THREADS; i++) {
		places[i] = &places[i];
		numbers[i] = (void *)(1000 * i);
	}
	if (strcmp(how, "few") == 0)
		printf("%d threads were right\n", all(adds, numbers));
	if (strcmp(how, "locals") == 0) {
		pthread_barrier_init(&together, NULL, THREADS);
		CHECK(all(owns, places) == THREADS);
		for (int i = 0; i < THREADS; i++)
			for (int j = 0; j < i; j++)
				CHECK(places[i] != places[j]);
		CHECK(lib_count() == THREADS);
		puts("each thread has its own");
	}
	if (strcmp(how, "nested") == 0) {
		CHECK(all(nests, numbers) == THREADS);
		puts("through two cubicles");
	}
	if (strcmp(how, "detached") == 0) {
		pthread_attr_t attributes;
		pthread_attr_init(&attributes);
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		for (int i = 0; i < 2 * THREADS; i++) {
			pthread_t thread;
			CHECK(pthread_create(&thread, &attributes, detached, numbers[i % THREADS]) == 0);
		}
		pthread_mutex_lock(&lock);
		while (done < 2 * THREADS)
			pthread_cond_wait(&changed, &lock);
		pthread_mutex_unlock(&lock);
		printf("%d detached threads were right\n", right);
	}
	if (strcmp(how, "exits") == 0) {
		pthread_t thread;
		CHECK(pthread_create(&thread, NULL, last, NULL) == 0);
		pthread_exit(NULL);
	}
	return 0;
}
