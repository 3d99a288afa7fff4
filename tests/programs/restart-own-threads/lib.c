#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <unistd.h>
#include "lib.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static sem_t started;
static int over;

static void *waits(void *nothing)
{
	pthread_mutex_lock(&lock);
	sem_post(&started);
	while (!over)
		pthread_cond_wait(&news, &lock);
	pthread_mutex_unlock(&lock);
	return nothing;
}

static void *sleeps(void *nothing)
{
	sem_post(&started);
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
		usleep(1000);
	return nothing;
}

static void *loops(void *nothing)
{
	sem_post(&started);
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
		__asm__ volatile("");
	return nothing;
}

static void *calls(void *nothing)
{
	sem_post(&started);
	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST))
		app_hears();
	return nothing;
}

static void *fails(void *after)
{
	usleep((useconds_t)(long)after);
	return *(void *volatile *)NULL;
}

static void *(*const works[])(void *) = {waits, sleeps, loops, calls};
enum { THREADS = sizeof works / sizeof works[0] };
static pthread_t threads[THREADS];

long lib_starts(void)
{
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, works[i], NULL) != 0)
			return 1;
	for (int i = 0; i < THREADS; i++)
		sem_wait(&started);
	return 0;
}

long lib_ends_threads(void)
{
	pthread_mutex_lock(&lock);
	__atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
	pthread_cond_broadcast(&news);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < THREADS; i++)
		if (pthread_join(threads[i], NULL) != 0)
			return 1;
	over = 0;
	return 0;
}

long lib_fails(void) { return *(volatile long *)NULL; }

long lib_thread_fails(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, fails, (void *)1000) != 0)
		return 1;
	pthread_join(thread, NULL);
	return 2;
}

static void *leaves(void *late)
{
	other_remembers(late != NULL);
	return late != NULL ? *(void *volatile *)NULL : NULL;
}

long lib_thread_leaves(int late)
{
	pthread_t thread;
	return pthread_create(&thread, NULL, leaves, late ? (void *)1 : NULL) != 0 || pthread_detach(thread) != 0;
}

long lib_thread_fails_later(void)
{
	pthread_t thread;
	return pthread_create(&thread, NULL, fails, (void *)20000) != 0;
}

long lib_double(long number) { return 2 * number; }

long lib_counts(void)
{
	static long counted;
	return ++counted;
}
