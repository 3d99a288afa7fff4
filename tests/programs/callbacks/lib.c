#include <stdlib.h>
#include <string.h>
#include "callbacks.h"
#include "check.h"

static plain_function *kept;

int lib_apply(plain_function *call, int n) { return call ? call(n) : -1; }

int lib_apply_many(plain_function *call, int times)
{
	int n = 0;
	for (int i = 0; i < times; i++)
		n = call(n);
	return n;
}

long lib_each(user_function *call, void *user, long count)
{
	long sum = 0;
	for (long i = 0; i < count; i++)
		sum += call(user, i);
	return sum;
}

double lib_floats(float_function *call) { return call(1.5, 0.25f, 7, -3.0); }

long lib_nine(nine_function *call) { return call(1, 2, 3, 4, 5, 6, 7, 8, 9); }

long lib_twelve(twelve_function *call)
{
	return call(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.0);
}

long lib_large(large_function *call)
{
	struct large large = call(5);
	long sum = 0;
	for (int i = 0; i < 9; i++)
		sum += large.word[i] * (i + 1);
	return sum;
}

double lib_mixed(mixed_function *call)
{
	struct mixed mixed = call((struct pair){ 20, 22 }, 0.5);
	return mixed.a + mixed.b;
}

long lib_by_value(by_value_function *call)
{
	struct large large;
	for (int i = 0; i < 9; i++)
		large.word[i] = 10 * i;
	return call(1, large, 2);
}

long lib_text(text_function *call)
{
	char answer[64];
	memset(answer, '?', sizeof answer);
	call("from the library", 16, answer, sizeof answer);
	CHECK(strcmp(answer, "yrarbil eht morf") == 0);
	CHECK(answer[40] == '?');
	return (long)strlen(answer);
}

void lib_sort(int *numbers, size_t count, compare_function *compare)
{
	qsort(numbers, count, sizeof *numbers, compare);
}

static int through_kept(int n) { return kept ? kept(n) : n; }

long lib_call_deeper(deeper_function *call, int n) { return call(through_kept, n); }

void lib_keep(plain_function *call) { kept = call; }
int lib_call_kept(int n) { return kept(n); }
plain_function *lib_kept(void) { return kept; }
int lib_keeps(plain_function *call) { return call == kept; }
int lib_same(plain_function *one, plain_function *other) { return one == other; }
long lib_word(plain_function *call) { return (long)call; }

static int own(int n) { return n * n + (kept != NULL); }
plain_function *lib_own(void) { return own; }
int lib_is_own(plain_function *call) { return call == own; }

long lib_down(user_function *call, void *user, long n)
{
	volatile long mine[16];
	for (int i = 0; i < 16; i++)
		mine[i] = n + i;
	long result = n + (n > 0 ? call(user, n - 1) : 0);
	for (int i = 0; i < 16; i++)
		CHECK(mine[i] == n + i);
	return result;
}
