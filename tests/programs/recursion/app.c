//! Two cubicles call each other, a thousand calls deep, each with its own frame
//! of locals that must be there on the way back.
//@ stdout: 500500 0

#include "check.h"

long down(long);
int depth_left(void);

long up(long n)
{
	volatile long mine[16];
	for (int i = 0; i < 16; i++)
		mine[i] = n * i;
	long result = n == 0 ? 0 : n + down(n - 1);
	for (int i = 0; i < 16; i++)
		CHECK(mine[i] == n * i);
	return result;
}

int main(void)
{
	long result = up(1000);
	printf("%ld %d\n", result, depth_left());
}
