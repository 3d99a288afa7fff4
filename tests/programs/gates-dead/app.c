// The place of a gate whose only reference died with unused code is nobody's: who jumps there
// finds nothing to use, and the monitor nothing to trip over.
//@ violation: kind=gate|access|crash:app cubicle=app
//@ run: between
//@ run: behind

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int vault_first(void);
int vault_second(void);
int vault_third(void);

// Nobody calls it.
int unused(void) { return vault_second(); }

int main(int count, char **arguments)
{
	// runtime/abi/src/layout.rs: GATE_BASE and GATE_STRIDE. Gates are in the order of the names.
	uintptr_t first = 0x4000000, stride = 1536;
	if (vault_first() != 1 || vault_third() != 3)
		return 1;
	uintptr_t place = first + stride * (strcmp(arguments[1], "between") == 0 ? 1 : 3);
	((void (*)(void))place)();
	printf("came back\n");
	return 0;
}
