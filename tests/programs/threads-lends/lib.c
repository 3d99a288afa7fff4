#include <stdio.h>
#include "lib.h"

static __thread char name[64];

unsigned long lib_invert(unsigned char *data, unsigned long size)
{
	unsigned long sum = 0;
	for (unsigned long i = 0; i < size; i++) {
		sum += data[i];
		data[i] = (unsigned char)~data[i];
	}
	return sum;
}

unsigned long lib_through(unsigned char *data, unsigned long size, void (*again)(long), long depth)
{
	unsigned long before = 0, after = 0;
	for (unsigned long i = 0; i < size; i++)
		before += data[i];
	again(depth);
	for (unsigned long i = 0; i < size; i++) {
		after += data[i];
		data[i]++;
	}
	return before == after ? before : ~0UL;
}

const char *lib_name(long number)
{
	snprintf(name, sizeof name, "thread number %ld", number);
	return name;
}

int lib_open(struct object *object, long first)
{
	object->first = object->sum = first;
	return 0;
}

int lib_step(struct object *object, long by)
{
	object->sum += by;
	return 0;
}

long lib_close(struct object *object) { return object->sum - object->first; }
