//! How a program ends: every libc flushes and cleans up, the main one first, the
//! others in the reverse order of their start. The monitor cannot tell `_exit` from
//! `exit`: only the libc of the cubicle that calls it is left as it is.
//@ run: return
//@ status: 3
//@ stdout: app: main
//@ stdout: app: second handler
//@ stdout: app: first handler
//@ stdout: app: destructor
//@ stdout: quiet: called
//@ stdout: quiet: handler
//@ stdout: lib: constructor
//@ stdout: lib: called
//@ stdout: lib: second handler
//@ stdout: lib: first handler
//@ stdout: lib: destructor
//@ run: exit-in-lib
//@ status: 17
//@ stdout: lib: constructor
//@ stdout: lib: called
//@ stdout: lib: exits
//@ stdout: lib: second handler
//@ stdout: lib: first handler
//@ stdout: lib: destructor
//@ stdout: app: main
//@ stdout: app: second handler
//@ stdout: app: first handler
//@ stdout: app: destructor
//@ stdout: quiet: called
//@ stdout: quiet: handler
//@ run: quick
//@ status: 4
//@ stdout: lib: unbuffered
//@ stdout: quiet: called
//@ stdout: quiet: handler
//@ stdout: lib: constructor
//@ stdout: lib: called
//@ stdout: lib: second handler
//@ stdout: lib: first handler
//@ stdout: lib: destructor
//@ run: quick-in-lib
//@ status: 5
//@ stdout: lib: unbuffered
//@ stdout: app: main
//@ stdout: app: second handler
//@ stdout: app: first handler
//@ stdout: app: destructor
//@ stdout: quiet: called
//@ stdout: quiet: handler
//@ run: abort-in-lib
//@ signal: 6
//@ violation: kind=abort cubicle=lib signal=6 chain=lib_abort
//@ run: abort
//@ signal: 6
//@ run: never-called
//@ status: 0
//@ stdout: app: main
//@ stdout: app: second handler
//@ stdout: app: first handler
//@ stdout: app: destructor
//@ stdout: lib: constructor
//@ stdout: lib: destructor

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

void lib_call(void);
void lib_exit(int);
void lib_quick(int);
void lib_abort(void);
void quiet_call(void);

static void first(void) { puts("app: first handler"); }
static void second(void) { puts("app: second handler"); }
__attribute__((destructor)) static void destructor(void) { puts("app: destructor"); }

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	atexit(first);
	atexit(second);
	puts("app: main");
	if (strcmp(how, "never-called") == 0)
		return 0;
	quiet_call();
	lib_call();
	if (strcmp(how, "exit-in-lib") == 0)
		lib_exit(17);
	if (strcmp(how, "quick") == 0) {
		lib_quick(-1);
		_exit(4);
	}
	if (strcmp(how, "quick-in-lib") == 0)
		lib_quick(5);
	if (strcmp(how, "abort-in-lib") == 0)
		lib_abort();
	if (strcmp(how, "abort") == 0)
		abort();
	return 3;
}
