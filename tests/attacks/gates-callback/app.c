//! app jumps into the gate through which vault calls back a function of keeper,
//! and to its stub, with registers of its choice, as `gates` does with a plain one.
//@ only: pku
//@ violation: kind=gate|access|crash:app
//@ harmless: back with own rights
//@ run: idle own
//@ each: wrpkru keeper_give.result
//@ run: idle keeper
//@ each: wrpkru keeper_give.result
//@ run: idle vault
//@ each: wrpkru keeper_give.result
//@ run: idle both
//@ each: wrpkru keeper_give.result
//@ run: idle all
//@ each: wrpkru keeper_give.result
//@ run: idle both
//@ each: instruction keeper_give.result
//@ run: pending own
//@ each: wrpkru keeper_give.result
//@ run: pending keeper
//@ each: wrpkru keeper_give.result
//@ run: pending vault
//@ each: wrpkru keeper_give.result
//@ run: pending both
//@ each: wrpkru keeper_give.result
//@ run: pending all
//@ each: wrpkru keeper_give.result
//@ run: pending both
//@ each: instruction keeper_give.result
//@ only: pku Cubicle lending
//@ run: stub both
//@ violation: kind=gate cubicle=app
//@ run: idle both
//@ each: wrpkru keeper_give.result
//@ only: pku Cubicle callee-sees
//@ without: gate-proofs
//@ then: stdout: keeper was opened: 0
//@ then: signal: 11
//@ then: violation: kind=crash cubicle=vault access=execute place=unmapped
//@ run: idle keeper
//@ each: wrpkru keeper_give.result
//@ only: pku caller-sees
//@ without: gate-proofs
//@ then: stdout: keeper was opened: 0
//@ then: signal: 11
//@ then: violation: kind=crash cubicle=vault access=execute place=unmapped
//@ run: call
//@ violation: none
//@ status: 0
//@ stdout: back with own rights

#include "leap.h"

void vault_use(long where);
long vault_stub(void);

void app_hook(void) { leap_and_see(); }

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	choose(count > 2 ? arguments[2] : "");
	/* Everybody has been entered once. */
	vault_use(0);
	target = count > 3 ? strtol(arguments[3], NULL, 16) : (long)leap_back;
	if (strcmp(what, "stub") == 0)
		target = vault_stub();
	if (strcmp(what, "pending") != 0)
		leap_and_see();
	vault_use(1);
}
