//! Thousands of threads leave nothing behind: no number (there are 4096), no
//! stack and no buffer (the memory limits), no copy of a result (4096 as well), and
//! no memory of the monitor's. Each is ended in every cubicle that it entered.
//@ run: 10000
//@ only: pagetable
//@ stdout: 10000 threads were right
//@ stdout: destroyed 10000 in lib and 10000 in other
//@ stdout: nothing grew
//@ run: 4800
//@ only: pku
//@ stdout: 4800 threads were right
//@ stdout: destroyed 4800 in lib and 4800 in other
//@ stdout: nothing grew

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "check.h"
#include "many.h"

enum { WARM = 2000, AT_ONCE = 16, SIZE = 20 << 10 };

static long right;

static void *thread(void *argument)
{
	long own = (long)argument;
	unsigned char *data = malloc(SIZE);
	char wanted[64];
	memset(data, own & 255, SIZE);
	snprintf(wanted, sizeof wanted, "%ld and 1", own);
	int ok = lib_sum(data, SIZE) == (unsigned long)(own & 255) * SIZE / 64;
	ok &= strcmp(lib_name(own), wanted) == 0;
	free(data);
	__atomic_add_fetch(&right, ok, __ATOMIC_RELAXED);
	return argument;
}

/* The most memory the process ever had, KiB. */
static long memory(void)
{
	struct rusage usage;
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	return usage.ru_maxrss;
}

int main(int count, char **arguments)
{
	long all = count > 1 ? atol(arguments[1]) : 0;
	pthread_t threads[AT_ONCE];
	long before = 0;
	for (long first = 0; first < all; first += AT_ONCE) {
		if (first == WARM)
			before = memory();
		for (long i = 0; i < AT_ONCE; i++)
			CHECK(pthread_create(&threads[i], NULL, thread, (void *)(first + i)) == 0);
		for (long i = 0; i < AT_ONCE; i++) {
			void *result;
			CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)(first + i));
		}
	}
	printf("%ld threads were right\n", right);
	long destroyed = lib_destroyed();
	printf("destroyed %ld in lib and %ld in other\n", destroyed % 1000000, destroyed / 1000000);
	long grown = memory() - before;
	if (grown < 2048)
		puts("nothing grew");
	else
		printf("grew by %ld KiB\n", grown);
}
