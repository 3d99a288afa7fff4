//! A library calls functions of the program that it gets as pointers: with
//! arguments and results of every shape, again in later calls, from deeper
//! nesting; and pointers come home as what they were.
//@ stdout: done

#include <setjmp.h>
#include <string.h>
#include "callbacks.h"
#include "check.h"

static int increment(int n) { return n + 1; }
static int twice(int n) { return 2 * n; }

static long add_to(void *user, long n)
{
	*(long *)user += n;
	return 10 * n;
}

static double floats(double a, float b, long c, double d) { return a + b + (double)c + d; }

static long nine(long a, long b, long c, long d, long e, long f, long g, long h, long i)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i;
}

static long twelve(long a, long b, long c, long d, long e, long f, long g, long h, long i,
	long j, long k, double l)
{
	return nine(a, b, c, d, e, f, g, h, i) + 10 * j + 11 * k + 12 * (long)l;
}

static struct large large(long n)
{
	struct large result;
	for (int i = 0; i < 9; i++)
		result.word[i] = n + i;
	return result;
}

static struct mixed mixed(struct pair pair, double d)
{
	return (struct mixed){ pair.a + pair.b, d };
}

static long by_value(int before, struct large large, int after)
{
	long sum = before + after;
	for (int i = 0; i < 9; i++)
		sum += large.word[i];
	return sum;
}

/* What was lent can be read and written, and nothing more of the library's. */
static void reverse(const char *text, long length, char *answer, long room)
{
	CHECK(room == 64 && strlen(text) == (size_t)length);
	for (long i = 0; i < length; i++)
		answer[i] = text[length - 1 - i];
	answer[length] = 0;
}

static int ascending(const void *one, const void *other)
{
	int a = *(const int *)one, b = *(const int *)other;
	return (a > b) - (a < b);
}

static int descending(const void *one, const void *other) { return ascending(other, one); }

static void sorting(void)
{
	int numbers[500];
	for (int i = 0; i < 500; i++)
		numbers[i] = (i * 7919) % 500;
	lib_sort(numbers, 500, ascending);
	for (int i = 0; i < 500; i++)
		CHECK(numbers[i] == i);
	lib_sort(numbers, 500, descending);
	for (int i = 0; i < 500; i++)
		CHECK(numbers[i] == 499 - i);
}

static long up(void *user, long n)
{
	volatile long mine[16];
	for (int i = 0; i < 16; i++)
		mine[i] = n * i;
	++*(long *)user;
	long result = n > 0 ? lib_down(up, user, n) : 0;
	for (int i = 0; i < 16; i++)
		CHECK(mine[i] == n * i);
	return result;
}

/* Called by the library with a function of its own. */
static long deeper(plain_function *call, int n)
{
	CHECK(lib_call_kept(n) == n + 1);
	return call(n) + lib_apply(call, n) + lib_apply(twice, n);
}

static jmp_buf point;

static int jumps(int n)
{
	if (n > 100)
		longjmp(point, n);
	jmp_buf inside;
	int value = setjmp(inside);
	if (value == 0)
		longjmp(inside, n + 1);
	return value;
}

static void pointers(void)
{
	/* The same function is the same there, and another one another. */
	CHECK(lib_same(increment, increment));
	CHECK(!lib_same(increment, twice));
	CHECK(!lib_same(increment, NULL));
	CHECK(lib_word(NULL) == 0);
	CHECK(lib_word((plain_function *)-1) == -1);
	CHECK(lib_word((plain_function *)1) == 1);
	CHECK(lib_word(increment) != (long)increment);
	/* It comes home as itself. */
	lib_keep(NULL);
	CHECK(lib_kept() == NULL);
	lib_keep(increment);
	CHECK(lib_kept() == increment);
	CHECK(lib_keeps(increment) && !lib_keeps(twice));
	CHECK(lib_kept()(5) == 6);
	/* So does the library's own. */
	plain_function *own = lib_own();
	CHECK(own == lib_own());
	CHECK(own(3) == 10);
	CHECK(lib_is_own(own) && !lib_is_own(increment));
	CHECK(lib_apply(own, 4) == 17);
	lib_keep(own);
	CHECK(lib_kept() == own);
	/* A function of the library as the program's linker knows it. */
	CHECK(lib_apply((plain_function *)lib_call_kept, 5) == 26);
}

int main(void)
{
	lib_keep(NULL);
	for (int round = 0; round < 3; round++) {
		CHECK(lib_apply(increment, 41) == 42);
		CHECK(lib_apply(twice, 21) == 42);
		CHECK(lib_apply(NULL, 1) == -1);
		CHECK(lib_apply_many(increment, 300) == 300);
		long sum = 0;
		CHECK(lib_each(add_to, &sum, 10) == 450 && sum == 45);
		CHECK(lib_floats(floats) == 5.75);
		CHECK(lib_nine(nine) == 285);
		CHECK(lib_twelve(twelve) == 650);
		CHECK(lib_large(large) == 465);
		CHECK(lib_mixed(mixed) == 42.5);
		CHECK(lib_by_value(by_value) == 363);
		CHECK(lib_text(reverse) == 16);
		sorting();
		long calls = 0;
		CHECK(up(&calls, 200) == 20100 && calls == 201);
		/* Kept in one call, called in another, and from within a third. */
		lib_keep(increment);
		CHECK(lib_call_kept(1) == 2);
		CHECK(lib_call_deeper(deeper, 10) == 42);
		/* Away over the library's frames, and within the callback. */
		CHECK(lib_apply(jumps, 7) == 8);
		int value = setjmp(point);
		if (value == 0)
			lib_apply(jumps, 1000 + round);
		CHECK(value == 1000 + round);
		CHECK(lib_apply(increment, 1) == 2);
		pointers();
	}
	puts("done");
}
