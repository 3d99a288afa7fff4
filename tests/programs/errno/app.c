//! Each libc has an errno; a function with `errno = true` brings its own along.
//@ stdout: done

#include <errno.h>
#include "check.h"

int lib_open(void);
int lib_open_silently(void);
int lib_set(int);
int lib_get(void);
int lib_calls_app(int);

int app_set(int value)
{
	errno = value;
	return -1;
}

int main(void)
{
	errno = 5;
	CHECK(lib_open_silently() == -1 && errno == 5);
	CHECK(lib_get() == EPERM && errno == 5);
	CHECK(lib_open() == -1 && errno == EPERM);
	CHECK(lib_set(77) == 0 && errno == 77);
	errno = 3;
	CHECK(lib_get() == 77 && errno == 3);
	CHECK(lib_calls_app(99) == 99);
	CHECK(errno == 99);
	CHECK(lib_get() == 99);
	puts("done");
}
