#include <stdarg.h>
#include <stdio.h>
#include "all.h"

long both_none(void) { return board; }
long both_six(long a, long b, long c, long d, long e, long f) { return a + b + c + d + e + f; }
long both_seven(long a, long b, long c, long d, long e, long f, long g) { return a + b + c + d + e + f + g; }
long both_many(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k, long l, long m,
	long n, long o)
{
	return a + b + c + d + e + f + g + h + i + j + k + l + m + n + o;
}
int both_format(int count, double scale, ...)
{
	va_list rest;
	va_start(rest, scale);
	long a = va_arg(rest, long);
	double b = va_arg(rest, double);
	long c = va_arg(rest, long);
	va_end(rest);
	return count * (a + b + c) * scale;
}
struct mixed both_mixed(long a, double b) { return (struct mixed){ a, b }; }
int both_prints(int n) { return printf("%d\n", n); }
