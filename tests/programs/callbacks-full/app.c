//! Each different function that crosses takes a slot, of which there are 256 for
//! all that are called alike. One more is refused, and nothing else happens.
//@ run: 256
//@ stdout: 32896 called
//@ stdout: all are still there
//@ run: 257
//@ stdout: 32896 called
//@ violation: kind=callback cubicle=app owner=app place=text callback=lib_apply.call chain=lib_forget detail=one_function_more_than_can_ever_be_passed_there:_each_takes_a_slot

#include <stdlib.h>
#include "check.h"

int lib_apply(int (*call)(int), int n);
int lib_forget(int (*call)(int));
double lib_other(double (*call)(double), double n);

#define ONE(n) static int add_##n(int number) { return number + 0x##n; }
#define SIXTEEN(n) ONE(n##0) ONE(n##1) ONE(n##2) ONE(n##3) ONE(n##4) ONE(n##5) ONE(n##6) ONE(n##7) \
	ONE(n##8) ONE(n##9) ONE(n##a) ONE(n##b) ONE(n##c) ONE(n##d) ONE(n##e) ONE(n##f)
#define ALL SIXTEEN(0) SIXTEEN(1) SIXTEEN(2) SIXTEEN(3) SIXTEEN(4) SIXTEEN(5) SIXTEEN(6) SIXTEEN(7) \
	SIXTEEN(8) SIXTEEN(9) SIXTEEN(a) SIXTEEN(b) SIXTEEN(c) SIXTEEN(d) SIXTEEN(e) SIXTEEN(f)
ALL
#undef ONE
#define ONE(n) add_##n,
static int (*const functions[])(int) = { ALL };

static int one_more(int number) { return number; }
static double other(double number) { return -number; }

int main(int count, char **arguments)
{
	int sum = 0;
	for (int round = 0; round < 2; round++) {
		sum = 0;
		for (int i = 0; i < 256; i++)
			sum += lib_apply(functions[i], 1);
	}
	printf("%d called\n", sum);
	fflush(stdout);
	if (count > 1 && atoi(arguments[1]) > 256)
		lib_forget(one_more);
	/* What is called otherwise has slots of its own. */
	CHECK(lib_other(other, 5) == -5);
	for (int i = 0; i < 256; i++)
		CHECK(lib_apply(functions[i], 0) == i && lib_forget(functions[i]));
	puts("all are still there");
}
