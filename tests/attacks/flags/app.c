//! With the direction flag set, the other side's memcpy writes backwards; with
//! alignment checks, it faults. Neither comes through a gate, in either direction.
//@ run: back direction
//@ violation: kind=gate cubicle=app signal=4 detail=in_the_gate_of_lib_set
//@ without: flags
//@ then: stdout: app has 400
//@ run: back alignment
//@ only: pku
//@ violation: kind=gate cubicle=app signal=4 detail=in_the_gate_of_lib_set
//@ without: flags
//@ then: stdout: app has 40000
//@ run: there direction
//@ violation: kind=gate cubicle=lib signal=4 detail=in_the_gate_of_lib_get
//@ without: flags
//@ then: stdout: lib has 400
//@ run: there alignment
//@ only: pku
//@ violation: kind=gate cubicle=lib signal=4 detail=in_the_gate_of_lib_get
//@ without: flags
//@ then: stdout: lib has 40000

#include <stdio.h>
#include <string.h>

void lib_set(long flags);
long lib_get(void);

__attribute__((naked)) static long call_and_see(long with)
{
	__asm__("sub $8, %rsp\n call lib_set\n pushfq\n pop %rax\n"
		"and $0x40400, %eax\n pushfq\n andl $~0x40400, (%rsp)\n popfq\n add $8, %rsp\n ret");
}

__attribute__((naked)) static long call_with(long with)
{
	__asm__("sub $8, %rsp\n pushfq\n or %edi, (%rsp)\n popfq\n call lib_get\n"
		"pushfq\n andl $~0x40400, (%rsp)\n popfq\n add $8, %rsp\n ret");
}

int main(int count, char **arguments)
{
	if (count < 3)
		return 1;
	long with = strcmp(arguments[2], "direction") == 0 ? 0x400 : 0x40000;
	lib_set(0);
	if (strcmp(arguments[1], "back") == 0)
		printf("app has %lx\n", call_and_see(with));
	else
		printf("lib has %lx\n", call_with(with));
}
