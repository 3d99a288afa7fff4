/* Measuring, for the programs of the benchmark. A measurement is the median of
 * many short rounds, so that what else runs on the machine disturbs few of them.
 */

#ifndef MEASURE_H
#define MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 51
/* The least a round takes, nanoseconds. */
#define ROUND_TIME 400000

static inline long long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int smaller_first(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

static inline double median(double *values, int count)
{
	qsort(values, count, sizeof *values, smaller_first);
	return values[count / 2];
}

/* Prints one line, "NAME NANOSECONDS": what one turn of STATEMENT takes. */
#define MEASURE(NAME, STATEMENT) \
	do { \
		long turns = 1; \
		double rounds[ROUNDS]; \
		for (int round = 0; round < ROUNDS;) { \
			long long start = now(); \
			for (long turn = 0; turn < turns; turn++) { \
				STATEMENT; \
			} \
			long long time = now() - start; \
			if (time < ROUND_TIME && round == 0) \
				turns *= 2; \
			else \
				rounds[round++] = (double)time / turns; \
		} \
		printf("%s %.3f\n", NAME, median(rounds, ROUNDS)); \
	} while (0)

#endif
