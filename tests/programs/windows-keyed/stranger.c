#include <cubicle.h>
#include <errno.h>
#include <unistd.h>
#include "shared.h"

int stranger_get(const char *at) { return *(const volatile char *)at; }

long stranger_write(int file, const void *at, size_t size)
{
	long result = write(file, at, size);
	return result < 0 ? -errno : result;
}

long stranger_sum(const unsigned char *at, size_t size)
{
	long sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += at[i];
	return sum;
}

void *stranger_alloc(int window, size_t size) { return cubicle_window_alloc(window, size); }
