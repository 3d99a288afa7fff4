//! Ordinary libc functions, on both sides.
//@ stdin: first line
//@ stdin: second line
//@ stdout: app reads first line, GIVEN is to all, argument x
//@ stdout: done
//@ stdout: lib: GIVEN is to all, 5 3.250 text
//@ run: x

#include <stdlib.h>
#include <string.h>
#include "check.h"

int lib_sort(void);
int lib_environment(void);
int lib_thread_local(int);
long lib_strtol(void);
int lib_locale(void);
void lib_print(void);

static _Thread_local int mine = 5;

int main(int count, char **arguments)
{
	char line[100];
	CHECK(fgets(line, sizeof line, stdin) != NULL);
	line[strcspn(line, "\n")] = 0;
	printf("app reads %s, GIVEN is %s, argument %s\n", line, getenv("GIVEN"), count > 1 ? arguments[1] : "");
	CHECK(lib_sort() == 0);
	CHECK(lib_environment() == 0);
	CHECK(getenv("ONLY_LIB") == NULL);
	CHECK(lib_thread_local(1) == 8 && lib_thread_local(2) == 10 && mine == 5);
	mine = 6;
	CHECK(lib_thread_local(0) == 10 && mine == 6);
	CHECK(lib_strtol() == 0);
	CHECK(lib_locale() == 0);
	lib_print();
	puts("done");
}
