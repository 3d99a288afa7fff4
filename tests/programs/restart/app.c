//! A library that fails: each call returns what the manifest says, the next one finds
//! the library as it was at first, and nobody else notices.
//@ stdout: READ_NULL -7 5 1
//@ stdout: WRITE_NULL -7 5 1
//@ stdout: READ_FOREIGN -7 5 1
//@ stdout: ABORT -7 5 1
//@ stdout: OVERFLOW -7 5 1
//@ stdout: EXHAUST -7 5 1
//@ stdout: DIVIDE -7 5 1
//@ stdout: ILLEGAL -7 5 1
//@ stdout: JUMP -7 5 1
//@ stdout: FREE_TWICE -7 5 1
//@ stdout: done
//@ stderr: double free or corruption (out)
//@ restarts: 22

#include <errno.h>
#include <fenv.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "lib.h"

static int secret = 42;

static void each_way(void)
{
	static const char *names[] = { "READ_NULL", "WRITE_NULL", "READ_FOREIGN", "ABORT", "OVERFLOW",
				       "EXHAUST", "DIVIDE", "ILLEGAL", "JUMP", "FREE_TWICE" };
	for (int way = 0; way < WAYS; way++) {
		errno = 0;
		int result = lib_fail((enum way)way, &secret);
		int error = errno;
		printf("%s %d %d %d\n", names[way], result, error, lib_count());
		fflush(stdout);
	}
	CHECK(secret == 42);
}

static void every_result(void)
{
	char buffer[100];
	memset(buffer, 'a', sizeof buffer);
	CHECK(lib_fill(buffer, sizeof buffer, 1) == -2);
	/* Nothing of a call that failed came back. */
	for (size_t i = 0; i < sizeof buffer; i++)
		CHECK(buffer[i] == 'a');
	CHECK(lib_fill(buffer, sizeof buffer, 0) == sizeof buffer && buffer[99] == 'x');
	size_t large = 1 << 20;
	char *many = malloc(large);
	memset(many, 'b', large);
	CHECK(lib_fill(many, (int)large, 1) == -2 && many[large - 1] == 'b');
	CHECK(lib_fill(many, (int)large, 0) == (int)large && many[large - 1] == 'x');
	free(many);
	CHECK(lib_name(1) == NULL);
	CHECK(strcmp(lib_name(0), "lib") == 0);
	CHECK(lib_ratio(8, 1) == 0);
	CHECK(lib_ratio(8, 0) == 4);
	lib_nothing(1);
	lib_nothing(0);
	/* What the caller had set for itself is as it was. */
	fesetround(FE_UPWARD);
	long double third = 1;
	CHECK(lib_fill(buffer, 1, 1) == -2);
	CHECK(fegetround() == FE_UPWARD);
	third /= 3;
	CHECK(third > 0.333L);
	fesetround(FE_TONEAREST);
}

static void calls_inside_of_calls(void)
{
	/* app -> lib -> other -> lib fails: other gets the error, then app. */
	CHECK(lib_through(0) == -3);
	CHECK(lib_count() == 1);
	/* app -> lib -> other -> lib -> other -> lib. */
	CHECK(lib_through(1) == -3);
	CHECK(lib_count() == 1);
	CHECK(lib_through(3) == -3);
	CHECK(lib_count() == 1);
}

static void objects(void)
{
	struct object object;
	CHECK(lib_open(&object) == 0);
	CHECK(lib_add(&object, 3, 0) == 3);
	CHECK(lib_add(&object, 3, 1) == -6);
	/* The library no longer knows it: what it kept leads nowhere. */
	CHECK(lib_add(&object, 3, 0) == -6);
	CHECK(lib_open(&object) == 0);
	CHECK(lib_add(&object, 4, 0) == 4);
	CHECK(lib_close(&object) == 0);
}

static void functions(void)
{
	int (*hook)(int) = lib_hook();
	CHECK(hook(1) == 11);
	lib_nothing(1);
	/* Its owner has started anew and knows nothing of it. */
	CHECK(hook(1) == 0);
	CHECK(lib_count() == 1);
	CHECK(hook(1) == 0);
	CHECK(lib_hook() == hook && hook(2) == 12);
}

int main(void)
{
	each_way();
	every_result();
	calls_inside_of_calls();
	objects();
	functions();
	puts("done");
	return 0;
}
