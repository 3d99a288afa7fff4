#include <cubicle.h>
#include <errno.h>
#include <unistd.h>
#include "shared.h"

long reader_sum(void)
{
	long sum = 0;
	for (size_t i = 0; i < sizeof frame_pool; i++)
		sum += frame_pool[i];
	return sum;
}

int reader_count(void) { return frame_count + (frame_names[1][0] - 's'); }
int reader_get(const char *at) { return *(const volatile char *)at; }
void reader_put(char *at, int value) { *(volatile char *)at = (char)value; }
void reader_counts(int value) { frame_count = value; }
void *reader_alloc(int window, size_t size) { return cubicle_window_alloc(window, size); }

long reader_read(int file, void *at, size_t size)
{
	long result = read(file, at, size);
	return result < 0 ? -errno : result;
}

long reader_write(int file, const void *at, size_t size)
{
	long result = write(file, at, size);
	return result < 0 ? -errno : result;
}

long reader_faults(void) { return last_fault(); }
