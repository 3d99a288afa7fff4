#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "keeper.h"

static int calls;

static double number(long a, double b, long c, double d, long e, long f, long g, long h, long i, long j)
{
	calls++;
	/* A stack and a libc of its own. */
	char *copy = malloc(100);
	CHECK(copy != NULL);
	free(copy);
	CHECK(a == 1 && c == 2 && e == 3 && f == 4 && g == 5 && h == 6 && i == 7 && j == 8);
	return b + d;
}

static long text(const char *text, long n)
{
	calls++;
	return (long)strlen(text) + n;
}

__attribute__((constructor)) static void start(void) { keeper_keep(number, text); }

int owner_calls(void) { return calls; }
