#include <stdlib.h>
#include <string.h>
#include "lib.h"

static __thread long calls;
static long total;

static void fail_if(int fail)
{
	if (fail)
		*(volatile int *)NULL = 1;
}

long lib_sum(const int *numbers, int count, int fail)
{
	long *own = malloc((size_t)count * sizeof *own);
	for (int i = 0; i < count; i++)
		own[i] = numbers[i];
	fail_if(fail);
	long sum = 0;
	for (int i = 0; i < count; i++)
		sum += own[i];
	free(own);
	calls++;
	__atomic_add_fetch(&total, 1, __ATOMIC_RELAXED);
	return sum;
}

long lib_double(long value, int fail)
{
	volatile char room[200];
	memset((char *)room, 1, sizeof room);
	fail_if(fail);
	calls++;
	return 2 * value;
}

long lib_through(long value, int fail)
{
	long result = other_double(value, fail);
	calls++;
	return result;
}
