/* What every cubicle does in the load test: a random, but repeatable, tree of calls. The
 * cubicles run it through gates; the app runs it a second time by itself, as a plain
 * program would, and compares. */
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

enum { CUBICLES = 6, LARGEST = 6000 };

/* Bytes that a step asks for in vain, at most: more than a cubicle has for all threads. */
#define PRESSURE (32UL << 20)

/* What a call comes to that has no result, and is made again. */
enum { FAILED = -1, EXHAUSTED = -2 };

typedef long step(int who, unsigned long seed, int depth, int fails, unsigned char *data, unsigned long size);

static unsigned long mix(unsigned long *state)
{
	/* splitmix64 */
	unsigned long z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* How deep this thread is inside of each: what is lost with a thread-local is seen. */
static __thread int inside[1 + CUBICLES];

/* What was asked for in vain goes back to the kernel at once. Left alone, glibc learns from large
 * blocks to keep them, and memory grows that nobody has lost. */
__attribute__((constructor)) static void keep_nothing(void) { mallopt(M_MMAP_THRESHOLD, 1 << 17); }

/* One step of `self`, which calls others by `call`. With `fails` it sometimes asks for more
 * memory than it needs, and if it may, sometimes faults or waits. A result is never negative. */
static long work(int self, int may_fail, step *call, unsigned long seed, int depth, int fails,
		 unsigned char *data, unsigned long size)
{
	unsigned long state = seed, pressure = ~seed;
	unsigned char *own = malloc(size + (fails && mix(&pressure) % 3 == 0 ? mix(&pressure) % PRESSURE : 0));
	if (own == NULL)
		return EXHAUSTED;
	unsigned long sum = seed + (unsigned long)++inside[self];
	for (unsigned long i = 0; i < size; i++) {
		sum = sum * 31 + data[i];
		own[i] = (unsigned char)(data[i] + self);
	}
	long result = 0;
	unsigned long calls = depth > 0 ? 1 + mix(&state) % 2 : 0;
	for (unsigned long i = 0; i < calls && result >= 0; i++) {
		int who = 1 + (int)(mix(&state) % CUBICLES);
		unsigned long part = 1 + mix(&state) % size;
		result = call(who, mix(&state), depth - 1, fails, own, part);
		sum = sum * 31 + (unsigned long)result;
	}
	if (mix(&state) % 40 == 0 && fails && may_fail)
		*(volatile int *)NULL = self;
	/* Others may fail in it meanwhile. */
	if (mix(&pressure) % 40 == 0 && fails && may_fail)
		usleep((useconds_t)(mix(&pressure) % 5000));
	for (unsigned long i = 0; i < size; i++)
		data[i] = (unsigned char)(own[i] ^ sum);
	free(own);
	inside[self]--;
	return result < 0 ? result : (long)(sum & LONG_MAX);
}
