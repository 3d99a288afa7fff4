//! A function of the callee's whose gate checks what it is given is called through
//! that gate, even if the callee itself is made to call it: it would have handed it
//! a word of the caller's that nobody looked at.
//@ run: own
//@ stdout: 0 42
//@ run: foreign
//@ violation: kind=lend cubicle=app owner=lib place=data

#include <string.h>
#include "check.h"
#include "lib.h"

int main(int count, char **arguments)
{
	static long own = 7;
	int foreign = count > 1 && strcmp(arguments[1], "foreign") == 0;
	lib_release(foreign ? (void *)lib_secret() : &own, lib_wipe);
	printf("%ld %ld\n", own, lib_value());
}
