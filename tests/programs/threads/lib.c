#include <errno.h>
#include <pthread.h>
#include "threads.h"

static __thread long mine;
static __thread char place[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int threads;

int lib_add(int a, int b) { return a + b; }

long lib_own(long value)
{
	long before = mine;
	if (before == 0) {
		pthread_mutex_lock(&lock);
		threads++;
		pthread_mutex_unlock(&lock);
	}
	mine = value;
	errno = (int)value;
	return before;
}

unsigned long lib_place(void) { return (unsigned long)place; }
int lib_count(void) { return threads; }
long lib_through(long value) { return other_double(value) + 1; }
