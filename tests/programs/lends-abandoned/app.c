//! A call that a `longjmp` left behind, inside of one that goes on: what was lent
//! to the other callee for reading is not copied back, whatever that has made of
//! its copy.
//@ stdout: kept
//@ stdout: done

#include <setjmp.h>
#include <string.h>
#include "check.h"
#include "lib.h"

static jmp_buf back;
static char read_only[64], filled[64];

static void leave(void) { longjmp(back, 1); }

static void look(void)
{
	if (setjmp(back) == 0)
		third_look(read_only, sizeof read_only, leave);
}

int main(void)
{
	strcpy(read_only, "kept");
	for (int i = 0; i < 3; i++) {
		memset(filled, 0, sizeof filled);
		lib_fill(filled, sizeof filled, look);
		CHECK(filled[0] == 'l' && filled[63] == 'l');
	}
	puts(read_only);
	puts("done");
}
