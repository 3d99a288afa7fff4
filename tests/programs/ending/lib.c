#include <stdlib.h>
#include <unistd.h>
#include "check.h"

static void first(void) { puts("lib: first handler"); }
static void second(void) { puts("lib: second handler"); }
__attribute__((constructor)) static void constructor(void) { puts("lib: constructor"); }
__attribute__((destructor)) static void destructor(void) { puts("lib: destructor"); }

void lib_call(void)
{
	atexit(first);
	atexit(second);
	puts("lib: called");
}

void lib_exit(int status)
{
	puts("lib: exits");
	exit(status);
}

void lib_quick(int status)
{
	write(1, "lib: unbuffered\n", 16);
	if (status >= 0)
		_exit(status);
}

void lib_abort(void) { abort(); }
