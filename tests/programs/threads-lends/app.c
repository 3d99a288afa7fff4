//! Threads lend at the same time: each finds in its large buffers, its objects and
//! what it gets back only its own.
//@ stdout: copied
//@ stdout: nested
//@ stdout: named
//@ stdout: kept

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "lib.h"

enum { THREADS = 6, ROUNDS = 60, LARGEST = 200 << 10 };

static long expected(const unsigned char *data, unsigned long size)
{
	unsigned long sum = 0;
	for (unsigned long i = 0; i < size; i++)
		sum += data[i];
	return (long)sum;
}

static void *copies(void *argument)
{
	unsigned state = 1 + (unsigned)(long)argument;
	unsigned char *data = malloc(LARGEST);
	for (int round = 0; round < ROUNDS; round++) {
		unsigned long size = (unsigned long)rand_r(&state) % LARGEST;
		unsigned char value = (unsigned char)rand_r(&state);
		memset(data, value, size);
		CHECK(lib_invert(data, size) == value * size);
		CHECK(expected(data, size) == (long)((unsigned char)~value * size));
	}
	free(data);
	return NULL;
}

static __thread unsigned seed;

static void again(long depth)
{
	unsigned long size = 17000 + (unsigned long)rand_r(&seed) % 40000;
	unsigned char value = (unsigned char)rand_r(&seed);
	unsigned char *data = malloc(size);
	memset(data, value, size);
	if (depth > 0) {
		CHECK(lib_through(data, size, again, depth - 1) == value * size);
		CHECK(expected(data, size) == (long)((unsigned char)(value + 1) * size));
	}
	free(data);
}

static void *nests(void *argument)
{
	seed = 1 + (unsigned)(long)argument;
	for (int round = 0; round < ROUNDS / 4; round++)
		again(5);
	return NULL;
}

static void *names(void *argument)
{
	long own = (long)argument;
	char wanted[64];
	snprintf(wanted, sizeof wanted, "thread number %ld", own);
	for (int round = 0; round < 20 * ROUNDS; round++) {
		const char *name = lib_name(own);
		for (int look = 0; look < 20; look++)
			CHECK(strcmp(name, wanted) == 0);
	}
	return NULL;
}

static void *keeps(void *argument)
{
	long own = (long)argument;
	for (int round = 0; round < 10 * ROUNDS; round++) {
		struct object object;
		memset(&object, 0, sizeof object);
		CHECK(lib_open(&object, own) == 0);
		for (int step = 1; step <= 5; step++)
			CHECK(lib_step(&object, step) == 0);
		CHECK(object.sum == own + 15);
		CHECK(lib_close(&object) == 15);
	}
	return NULL;
}

static void all(void *(*function)(void *), const char *what)
{
	pthread_t threads[THREADS];
	for (long i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, function, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	puts(what);
}

int main(void)
{
	all(copies, "copied");
	all(nests, "nested");
	all(names, "named");
	all(keeps, "kept");
}
