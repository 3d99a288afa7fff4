#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "many.h"

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static long destroyed;

static void destroy(void *value)
{
	free(value);
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_RELAXED);
}

static void prepare(void) { pthread_key_create(&key, destroy); }

unsigned long lib_sum(const unsigned char *data, unsigned long size)
{
	unsigned long sum = 0;
	for (unsigned long i = 0; i < size; i += 64)
		sum += data[i];
	return sum;
}

const char *lib_name(long number)
{
	pthread_once(&once, prepare);
	char *name = pthread_getspecific(key);
	if (name == NULL) {
		name = malloc(4000);
		pthread_setspecific(key, name);
	}
	snprintf(name, 4000, "%ld and %ld", number, other_next());
	return name;
}

long lib_destroyed(void) { return destroyed + 1000000 * other_destroyed(); }
