#include <pthread.h>
#include <stddef.h>
#include <unistd.h>
#include "lib.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static int held, about;

static void until(int *what, int value)
{
	while (__atomic_load_n(what, __ATOMIC_SEQ_CST) < value)
		usleep(1000);
}

static void note(int *what) { __atomic_add_fetch(what, 1, __ATOMIC_SEQ_CST); }

long lib_hold_and_fail(int waiting)
{
	pthread_mutex_lock(&lock);
	note(&held);
	until(&about, waiting);
	/* They have said that they are about to wait. */
	usleep(50000);
	return *(volatile long *)NULL;
}

long lib_wait_for_lock(void)
{
	until(&held, 1);
	note(&about);
	pthread_mutex_lock(&lock);
	return 1;
}

long lib_wait_for_news(void)
{
	pthread_mutex_lock(&other);
	note(&about);
	for (;;)
		pthread_cond_wait(&news, &other);
}

long lib_double(long number) { return 2 * number; }
