#include <cubicle.h>
#include <errno.h>
#include <unistd.h>
#include "shared.h"

/* Addresses in its initial value. */
struct queue queue = { .first = queue.items, .last = &queue.items[999] };

void codec_fill(int value)
{
	for (size_t i = 0; i < sizeof frame_pool; i++)
		frame_pool[i] = (unsigned char)value;
	frame_count++;
}

void codec_push(int value) { *queue.first++ = value; }
void codec_put(char *at, int value) { *(volatile char *)at = (char)value; }
void *codec_alloc(int window, size_t size) { return cubicle_window_alloc(window, size); }
int codec_free(int window, void *at, size_t size) { return cubicle_window_free(window, at, size); }

long codec_read(int file, void *at, size_t size)
{
	long result = read(file, at, size);
	return result < 0 ? -errno : result;
}

long codec_faults(void) { return last_fault(); }
