//! A library that uses what it got, and what it did not get, otherwise than by
//! calling it.
//@ run: call
//@ stdout: result 8, open 1
//@ run: enter
//@ stdout: result 8, open 1
//@ run: read-table
//@ stdout: result 1, open 0
//@ run: empty-slot
//@ violation: kind=gate signal=4 detail=in_the_gate_of_lib_attack.call
//@ run: last-slot
//@ violation: kind=gate signal=4 detail=in_the_gate_of_lib_attack.call
//@ run: behind-table
//@ violation: kind=gate signal=4 detail=in_the_gate_of_lib_attack.call
//@ run: huge-slot
//@ violation: kind=gate signal=4 detail=in_the_gate_of_lib_attack.call
//@ run: others-stub
//@ violation: kind=gate cubicle=lib signal=4 detail=in_the_gate_of_vault_keep.call
//@ run: raw
//@ violation: kind=access cubicle=lib owner=app place=data access=read
//@ run: write-table
//@ violation: kind=access cubicle=lib owner=monitor access=write signal=11
//@ run: write-stub
//@ violation: kind=access cubicle=lib owner=monitor access=write signal=11
//@ run: run-table
//@ violation: kind=gate|access cubicle=lib signal=11

#include <string.h>
#include "check.h"

int lib_attack(int (*call)(int), const char *what, long address);
void vault_keep(int (*call)(int));
long vault_kept(void);

static volatile int opened = 0;

static int open_up(int n)
{
	opened = opened + 1;
	return n + 1;
}

static int for_vault(int n)
{
	opened = opened + 100;
	return n;
}

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	vault_keep(for_vault);
	long address = strcmp(what, "others-stub") == 0 ? vault_kept() : (long)open_up;
	int result = lib_attack(open_up, what, address);
	printf("result %d, open %d\n", result, opened);
}
