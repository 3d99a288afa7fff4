//! Memory is freed by the libc that allocated it. Another one's `free` ends at the
//! header in front of it, and the report says what was done.
//@ run: own
//@ stdout: done
//@ run: caller
//@ violation: kind=access cubicle=app owner=lib place=heap
//@ report: memory of cubicle `lib` was given to `free` of cubicle `app`
//@ run: callee
//@ violation: kind=access cubicle=lib owner=app place=heap chain=lib_free
//@ report: memory of cubicle `app` was given to `free` of cubicle `lib`
//@ run: move
//@ violation: kind=access cubicle=app owner=lib place=heap
//@ report: memory of cubicle `lib` was given to `realloc` of cubicle `app`
//@ run: callee-moves
//@ violation: kind=access cubicle=lib owner=app place=heap chain=lib_move
//@ report: memory of cubicle `app` was given to `realloc` of cubicle `lib`
//@ run: large
//@ only: Cubicle
//@ violation: kind=access cubicle=app owner=lib
//@ report: memory of cubicle `lib` was given to `free` of cubicle `app`
//@ run: large
//@ only: reads
//@ stdout: refused
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *lib_new(unsigned long size);
void lib_free(char *memory);
char *lib_move(char *memory);

int main(int argc, char **argv)
{
	const char *run = argc > 1 ? argv[1] : "";
	if (!strcmp(run, "own")) {
		lib_free(lib_new(100));
		free(malloc(100));
		puts("done");
	} else if (!strcmp(run, "caller")) {
		free(lib_new(100));
	} else if (!strcmp(run, "callee")) {
		lib_free(malloc(100));
	} else if (!strcmp(run, "move")) {
		char *moved = realloc(lib_new(100), 200);
		return moved != NULL;
	} else if (!strcmp(run, "callee-moves")) {
		return lib_move(malloc(100)) != NULL;
	} else if (!strcmp(run, "large")) {
		/* A mapping of its own, which `free` unmaps. Who reads the header gets as
		 * far as the system call, which concerns memory that is not its own. */
		char *memory = lib_new(1 << 20);
		free(memory);
		puts(memory[0] == 0 ? "refused" : "gone");
	}
	return 0;
}
