//! The first call into a cubicle on a thread is a callback: what it passes is
//! still there when the cubicle is ready. One run for each kind of gate.
//@ run: number
//@ stdout: 0.75, called 1
//@ run: text
//@ stdout: 107, called 1

#include <string.h>
#include "check.h"
#include "keeper.h"

int main(int count, char **arguments)
{
	if (count > 1 && strcmp(arguments[1], "text") == 0) {
		long result = keeper_text();
		printf("%ld, called %d\n", result, owner_calls());
	} else {
		double result = keeper_number();
		printf("%g, called %d\n", result, owner_calls());
	}
}
