/* Says when main began, and how long the first call into another cubicle took
 * (or, where all are one, a call). Both in nanoseconds, the first of the
 * monotonic clock. */

#include <stdio.h>
#include <time.h>

long part_one(long value);
long part_two(long value);
long part_three(long value);

static long long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void)
{
	long long begun = now();
	long long before = now();
	long value = part_one(0);
	long long first = now() - before;
	value = part_three(part_two(value));
	printf("main %lld\nfirst-call %lld\n", begun, first);
	return value != 3;
}
