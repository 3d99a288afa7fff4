//! Who ends what it lent, while the callee still knows where that was, finds its
//! own there, and not what another caller lends afterwards.
//@ run: ended
//@ stdout: own
//@ run: replaced
//@ stdout: own

#include <string.h>
#include "check.h"
#include "lib.h"

static char text[64] = "own";

int main(int count, char **arguments)
{
	lib_set(0, text);
	if (count > 1 && strcmp(arguments[1], "ended") == 0)
		lib_drop(text);
	else
		lib_set(2, text);
	other_sets();
	for (int i = 0; i < 6; i++) {
		int letter = lib_letter(0, i);
		if (letter == 0)
			break;
		putchar(letter);
	}
	putchar('\n');
}
