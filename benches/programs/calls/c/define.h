/* The functions of one kind. Each kind has a step of its own: compilers fold
 * equal functions into one, and only one of them has debug information then. */

#include "calls.h"

static __thread long calls;

#define DEFINE_PAIR(KIND, STEP) \
	long KIND##_bare(long value) \
	{ \
		return value + STEP; \
	} \
	long KIND##_thread(long value) \
	{ \
		return value + STEP * ++calls; \
	}
