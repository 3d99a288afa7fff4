#include <pthread.h>
#include <stdlib.h>
#include "many.h"

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread long next;
static long destroyed;

static void destroy(void *value)
{
	free(value);
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
}

static void prepare(void) { pthread_key_create(&key, destroy); }

long other_next(void)
{
	pthread_once(&once, prepare);
	if (next == 0)
		pthread_setspecific(key, malloc(4000));
	return ++next;
}

long other_destroyed(void) { return destroyed; }
