/* The calls for windows that the library OS makes, for its twin: all memory of windows is shared by
 * all processes. */

#ifndef CUBICLE_H
#define CUBICLE_H

#include "transport.h"

static inline int cubicle_find(const char *name)
{
	(void)name;
	return 0;
}

static inline void *cubicle_window_alloc(int window, size_t size)
{
	(void)window;
	return transport_memory(size);
}

#endif
