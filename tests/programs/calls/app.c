//! Arguments and results of every shape the calling convention knows.
//@ stdout: done

#include <fenv.h>
#include <string.h>
#include "check.h"
#include "calls.h"

long back_one(long n) { return n + 1; }
double back_doubles(double a, long n, double b) { return a + n + b; }
struct large back_large(struct large large)
{
	large.word[8] += 1;
	return large;
}

static void integers(void)
{
	CHECK(none() == 42);
	CHECK(one(1) == 1);
	CHECK(two(1, 2) == 21);
	CHECK(three(1, 2, 3) == 321);
	CHECK(four(1, 2, 3, 4) == 4321);
	CHECK(five(1, 2, 3, 4, 5) == 54321);
	CHECK(six(1, 2, 3, 4, 5, 6) == 654321);
	CHECK(seven(1, 2, 3, 4, 5, 6, 7) == 7654321);
	CHECK(ten(-1, -2, -3, -4, -5, -6, -7, -8, -9, -10) == -55);
	CHECK(one(-1) == -1 && one(0x7fffffffffffffff) == 0x7fffffffffffffff);
	long expected = 0;
	for (int i = 1; i <= 32; i++)
		expected = expected * 3 + i;
	CHECK(many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
		27, 28, 29, 30, 31, 32) == expected);
	CHECK(is_negative(-5) == true && is_negative(5) == false);
	CHECK(narrow(0x1ff) == -1 && narrow_unsigned(-1) == 255);
	CHECK(sum_signs(-100, -1000, true) == -1099);
	CHECK(wide((__int128)1 << 100, 3) == (__int128)3 << 100);
	nothing(7);
}

static void floating(void)
{
	CHECK(doubles(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == 385);
	CHECK(fourteen(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14) == 1015);
	CHECK(single(1, 4) == 0.25f);
	CHECK(long_double(1, 2.5L, 4) == 10);
	CHECK(format(1, 2.0, 10L, 20.5, 30L) == 122);
}

static void structures(void)
{
	struct large large = { { 1, 2, 3, 4, 5, 6, 7, 8, 9 } }, other = { { 9, 8, 7, 6, 5, 4, 3, 2, 1 } };
	CHECK(by_value(3, large, 4) == 3002854);
	CHECK(by_value_twice(large, other, large, 7) == 290 + 2 * 165 + 3 * 285 + 7);
	CHECK(large.word[0] == 1);
	struct large made = make_large(100);
	CHECK(made.word[0] == 100 && made.word[8] == 108);
	made = change_large(made, 2);
	CHECK(made.word[0] == 200 && made.word[8] == 216);
	struct pair pair = make_pair(1, 2);
	CHECK(pair.a == 2 && pair.b == 1);
	struct mixed mixed = make_mixed(1, 2.5);
	CHECK(mixed.a == 2 && mixed.b == 3.5);
	struct floats floats = make_floats(1.5, 2.5);
	CHECK(floats.a == 2.5 && floats.b == 1.5);
	struct small small = make_small('a');
	CHECK(small.c[0] == 'a' && small.c[1] == 'b' && small.c[2] == 'c');
	CHECK(take_mixed((struct mixed){ 1, 2 }, (struct floats){ 3, 4 }, (struct pair){ 5, 6 }, (struct small){ { 1, 2, 4 } }) == 7654321);
	CHECK(take_union((union number){ .integer = -5 }) == -5);
}

static void registers(void)
{
	register long a __asm__("rbx") = 11;
	register long b __asm__("r12") = 12;
	register long c __asm__("r13") = 13;
	register long d __asm__("r14") = 14;
	register long e __asm__("r15") = 15;
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	clobber();
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	long sum = a + 100 * b + 10000 * c + 1000000 * d + 100000000 * e;
	CHECK(sum == 1514131211);
	/* The rounding of each side is its own. */
	fesetround(FE_UPWARD);
	rounding();
	CHECK(fegetround() == FE_UPWARD);
	fesetround(FE_TONEAREST);
}

int main(void)
{
	for (int i = 0; i < 3; i++) {
		integers();
		floating();
		structures();
		registers();
	}
	/* 3 · 7 was seen. */
	CHECK(back(1) == 2 + 23 + 285 + 9);
	puts("done");
}
