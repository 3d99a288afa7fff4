/* The same four functions in each cubicle but app, under another prefix. */
#include <stdlib.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define OF(name) JOIN(PEER, name)

static long own = 7;
static long *heap;

long OF(_own)(void) { return (long)&own; }

long OF(_heap)(void)
{
	if (heap == NULL) {
		heap = malloc(sizeof *heap);
		*heap = 8;
	}
	return (long)heap;
}

long OF(_get)(long at) { return *(volatile long *)at; }
void OF(_put)(long at, long value) { *(volatile long *)at = value; }
