#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib.h"

static int count;
static char initialised[16] = "initialised";
static __thread int of_thread = 5;

static int overflow(int depth)
{
	volatile char room[4096];
	room[depth % 4096] = (char)depth;
	return overflow(depth + 1) + room[0];
}

int lib_fail(enum way way, void *foreign)
{
	/* What must not be there the next time. */
	strcpy(initialised, "changed");
	of_thread = 6;
	count++;
	switch (way) {
	case READ_NULL:
		return *(volatile int *)NULL;
	case WRITE_NULL:
		*(volatile int *)NULL = 1;
		return 0;
	case READ_FOREIGN:
		return *(volatile int *)foreign;
	case ABORT:
		abort();
	case OVERFLOW:
		return overflow(0);
	case EXHAUST: {
		char *last = NULL;
		for (int i = 0; i < 1000; i++) {
			last = malloc(1 << 20);
			memset(last, 1, 1 << 20);
		}
		return last != NULL;
	}
	case DIVIDE: {
		volatile int zero = 0;
		return 7 / zero;
	}
	case ILLEGAL:
		__builtin_trap();
	case JUMP:
		((void (*)(void))8)();
		return 0;
	case FREE_TWICE: {
		char *volatile twice = malloc(5000);
		free(twice);
		free(twice);
		return 0;
	}
	default:
		return 0;
	}
}

int lib_count(void)
{
	if (strcmp(initialised, "initialised") != 0 || of_thread != 5)
		return -100;
	return ++count;
}

static void fail_if(int fail)
{
	if (fail)
		*(volatile int *)NULL = 1;
}

int lib_fill(char *buffer, int size, int fail)
{
	memset(buffer, 'x', (size_t)size);
	fail_if(fail);
	return size;
}

const char *lib_name(int fail)
{
	fail_if(fail);
	return "lib";
}

double lib_ratio(double value, int fail)
{
	fail_if(fail);
	return value / 2;
}

void lib_nothing(int fail)
{
	fail_if(fail);
}

int lib_through(int deep)
{
	int then = other_call_lib(deep, NULL);
	return then == -7 ? 1 : then;
}

int lib_open(struct object *object)
{
	object->sum = 0;
	object->own = malloc(sizeof *object->own);
	*object->own = 1;
	return 0;
}

int lib_add(struct object *object, int number, int fail)
{
	fail_if(fail);
	object->sum += number * *object->own;
	return object->sum;
}

int lib_close(struct object *object)
{
	free(object->own);
	return 0;
}

static int hook(int value)
{
	return value + count;
}

int (*lib_hook(void))(int)
{
	count = 10;
	return hook;
}
