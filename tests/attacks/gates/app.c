//! app jumps into the gate from vault to keeper, and into the runtime's other
//! text, with registers of its choice: while nobody calls anybody, and while vault
//! waits for keeper, which waits for app; and into its own resume stub, with a frame
//! that says what only the monitor should. Nothing but a violation may come of it,
//! a crash of app itself, or a return to app with app's own rights.
//@ only: pku
//@ violation: kind=gate|access|crash:app
//@ harmless: back with own rights
//@ run: idle own
//@ each: wrpkru keeper_open
//@ run: idle keeper
//@ each: wrpkru keeper_open
//@ run: idle vault
//@ each: wrpkru keeper_open
//@ run: idle both
//@ each: wrpkru keeper_open
//@ run: idle all
//@ each: wrpkru keeper_open
//@ run: idle both
//@ each: instruction keeper_open
//@ only: pku Cubicle lending
//@ run: idle vault
//@ each: instruction @call vault
//@ only: pku Cubicle
//@ run: idle all
//@ each: instruction @call vault
//@ only: pku Cubicle
//@ run: idle vault
//@ each: instruction @resume vault
//@ only: pku Cubicle
//@ run: idle all
//@ each: instruction @resume vault
//@ only: pku Cubicle
//@ run: pending own
//@ each: wrpkru keeper_open
//@ run: pending keeper
//@ each: wrpkru keeper_open
//@ run: pending vault
//@ each: wrpkru keeper_open
//@ run: pending both
//@ each: wrpkru keeper_open
//@ run: pending all
//@ each: wrpkru keeper_open
//@ run: pending both
//@ each: instruction keeper_open
//@ run: pending vault
//@ each: instruction @call vault
//@ only: pku Cubicle
//@ run: pending all
//@ each: instruction @call vault
//@ only: pku Cubicle
//@ run: pending vault
//@ each: instruction @resume vault
//@ only: pku Cubicle
//@ run: pending all
//@ each: instruction @resume vault
//@ only: pku Cubicle
//@ run: forged own
//@ each: instruction @resume app
//@ only: pku Cubicle
//@ run: forged all
//@ each: instruction @resume app
//@ only: pku Cubicle
//@ run: idle both
//@ each: wrpkru keeper_open
//@ only: pku Cubicle callee-sees
//@ without: gate-proofs
//@ then: stdout: keeper was opened: 0
//@ then: signal: 11
//@ then: violation: kind=crash cubicle=vault access=execute place=unmapped
//@ run: idle keeper
//@ each: wrpkru keeper_open
//@ only: pku caller-sees
//@ without: gate-proofs
//@ then: stdout: keeper was opened: 0
//@ then: signal: 11
//@ then: violation: kind=crash cubicle=vault access=execute place=unmapped
//@ run: call
//@ violation: none
//@ status: 0
//@ stdout: back with own rights

#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "leap.h"

void vault_use(long where);

void app_hook(void) { leap_and_see(); }

/* app's own frame, as the monitor fills it: a token, and registers to load. */
static void forge(void)
{
	unsigned long *frame = (unsigned long *)((unsigned long)__builtin_frame_address(0) & ~((1L << 36) - 1));
	frame[2] = 3 /* RESUME */;
	frame[23] = 0x202;
	/* Where that leads to is the monitor's word: without a stack, nowhere. */
	frame[24] = 0;
}

int main(int count, char **arguments)
{
	int called = count > 1 && strcmp(arguments[1], "call") == 0;
	choose(count > 2 ? arguments[2] : "");
	/* Everybody has been entered once. */
	vault_use(0);
	target = count > 3 ? strtol(arguments[3], NULL, 16) : (long)leap_back;
	int forged = count > 1 && strcmp(arguments[1], "forged") == 0;
	if (forged)
		forge();
	if (called || forged || strcmp(arguments[1], "idle") == 0)
		leap_and_see();
	vault_use(1);
}
