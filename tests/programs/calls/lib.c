#include <fenv.h>
#include <stdarg.h>
#include "check.h"
#include "calls.h"

static int seen;

long back_one(long);
double back_doubles(double, long, double);
struct large back_large(struct large);

int none(void) { return 42; }
long one(long a) { return a; }
long two(long a, long b) { return a + 10 * b; }
long three(long a, long b, long c) { return two(a, b) + 100 * c; }
long four(long a, long b, long c, long d) { return three(a, b, c) + 1000 * d; }
long five(long a, long b, long c, long d, long e) { return four(a, b, c, d) + 10000 * e; }
long six(long a, long b, long c, long d, long e, long f) { return five(a, b, c, d, e) + 100000 * f; }
long seven(long a, long b, long c, long d, long e, long f, long g) { return six(a, b, c, d, e, f) + 1000000 * g; }

long ten(long a, int b, short c, signed char d, long e, long f, int g, short h, signed char i, long j)
{
	CHECK(b == -2 && c == -3 && d == -4 && g == -7 && h == -8 && i == -9);
	return a + b + c + d + e + f + g + h + i + j;
}

double doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}

double fourteen(long a, double b, int c, float d, long e, double f, char g, double h, long i, float j, short k, double l, long m, double n)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l + 13 * m + 14 * n;
}

long many(long a1, long a2, long a3, long a4, long a5, long a6,
	long b1, long b2, long b3, long b4, long b5, long b6, long b7, long b8, long b9, long b10,
	long c1, long c2, long c3, long c4, long c5, long c6, long c7, long c8, long c9, long c10,
	long d1, long d2, long d3, long d4, long d5, long d6)
{
	long values[] = { a1, a2, a3, a4, a5, a6, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10,
		c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, d1, d2, d3, d4, d5, d6 };
	long sum = 0;
	for (int i = 0; i < 32; i++)
		sum = sum * 3 + values[i];
	return sum;
}

static long sum(struct large large)
{
	long sum = 0;
	for (int i = 0; i < 9; i++)
		sum += (i + 1) * large.word[i];
	return sum;
}

long by_value(int before, struct large large, int behind) { return before * 1000000L + sum(large) * 10 + behind; }

long by_value_twice(struct large a, struct large b, struct large c, long d)
{
	a.word[0] += 5; /* The callee's own copy. */
	return sum(a) + 2 * sum(b) + 3 * sum(c) + d;
}

struct large make_large(long first)
{
	struct large large;
	for (int i = 0; i < 9; i++)
		large.word[i] = first + i;
	return large;
}

struct pair make_pair(long a, long b) { return (struct pair){ b, a }; }
struct mixed make_mixed(long a, double b) { return (struct mixed){ a + 1, b + 1 }; }
struct floats make_floats(double a, double b) { return (struct floats){ b, a }; }
struct small make_small(char c) { return (struct small){ { c, c + 1, c + 2 } }; }

struct large change_large(struct large large, long by)
{
	for (int i = 0; i < 9; i++)
		large.word[i] *= by;
	return large;
}

double take_mixed(struct mixed m, struct floats f, struct pair p, struct small s)
{
	return m.a + 10 * m.b + 100 * f.a + 1000 * f.b + 10000 * p.a + 100000 * p.b + 1000000 * (s.c[0] + s.c[1] + s.c[2]);
}

long take_union(union number n) { return n.integer; }

int long_double(int a, long double x, double y) { return (int)(a + x * 2 + y); }

int format(int count, double scale, ...)
{
	va_list list;
	va_start(list, scale);
	long a = va_arg(list, long);
	double b = va_arg(list, double);
	long c = va_arg(list, long);
	va_end(list);
	return (int)(count + scale * (a + b + c));
}

bool is_negative(int n) { return n < 0; }
signed char narrow(int n) { return (signed char)n; }
unsigned char narrow_unsigned(int n) { return (unsigned char)n; }
short sum_signs(signed char a, short b, bool c) { return (short)(a + b + c); }
float single(float a, float b) { return a / b; }

void clobber(void)
{
	/* What the calling convention says a function must keep, and does not:
	 * only a cubicle that lies does this. rbp and rsp it needs itself; in rbx
	 * and r12 the gate keeps what this cubicle's own frame said, and losing
	 * that would only hurt this cubicle. */
	__asm__ volatile(
		"mov $0x5151515151515151, %%rax\n"
		"mov %%rax, %%r13\n mov %%rax, %%r14\n mov %%rax, %%r15\n"
		"mov %%rax, %%rcx\n mov %%rax, %%rdx\n mov %%rax, %%rsi\n mov %%rax, %%rdi\n"
		"mov %%rax, %%r8\n mov %%rax, %%r9\n mov %%rax, %%r10\n mov %%rax, %%r11\n"
		"movq %%rax, %%xmm0\n movq %%rax, %%xmm7\n movq %%rax, %%xmm15\n" ::: "memory");
}

void nothing(int n) { seen += n; }

long back(long n) { return back_one(n) + (long)back_doubles(0.5, seen, 1.5) + sum(back_large(make_large(n))); }

void rounding(void)
{
	CHECK(fegetround() == FE_TONEAREST);
	CHECK(1.0L / 3.0L != 1.0 / 3.0);
	fesetround(FE_DOWNWARD);
}

__int128 wide(__int128 a, long b) { return a * b; }
