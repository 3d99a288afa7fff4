//! app jumps to each switch of rights in the gate from vault to keeper, with rights of its
//! choice, and a signal finds it right behind that. The gate's checks must stop it as without the
//! signal, and its handler must not run with anything but app's own rights.
//@ only: pku
//@ interrupted: behind
//@ violation: kind=gate|access|crash:app
//@ harmless: back with own rights
//@ run: own
//@ each: wrpkru keeper_open
//@ run: keeper
//@ each: wrpkru keeper_open
//@ run: both
//@ each: wrpkru keeper_open
//@ run: all
//@ each: wrpkru keeper_open
//@ run: all
//@ each: wrpkru @call vault
//@ run: all
//@ each: wrpkru @resume vault

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "leap.h"

void vault_use(long where);

void app_hook(void) { leap_and_see(); }

static void handle(int signal)
{
	(void)signal;
	unsigned rights;
	__asm__ volatile("xor %%ecx, %%ecx\n\trdpkru" : "=a"(rights) :: "ecx", "edx");
	CHECK(rights == OPEN(PUBLIC(NONE), 2));
}

int main(int count, char **arguments)
{
	choose(count > 1 ? arguments[1] : "");
	signal(SIGUSR1, handle);
	/* Everybody has been entered once. */
	vault_use(0);
	target = count > 2 ? strtol(arguments[2], NULL, 16) : (long)leap_back;
	long mark;
	__asm__ volatile("syscall" : "=a"(mark) : "a"(0x43559000L) : "rcx", "r11", "memory");
	leap_and_see();
}
