#include <pthread.h>
#include <sched.h>
#include "lib.h"

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void forget(void *late)
{
	if (*(char *)late == 0)
		lib_fails();
	else
		/* The thread's own failure comes first. */
		for (int i = 0; i < 1000 && lib_double(1) == -1; i++)
			sched_yield();
}

static void prepare(void) { pthread_key_create(&key, forget); }

void other_remembers(int late)
{
	static char values[2] = {0, 1};
	pthread_once(&once, prepare);
	pthread_setspecific(key, &values[late]);
}
