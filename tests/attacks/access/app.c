//! Plain reads and writes of what is another cubicle's, the monitor's, or not to
//! be written. Every record says whose it was and what.
//@ run: read constants
//@ stdout: n intact
//@ run: read text
//@ stdout: text intact
//@ run: read data
//@ violation: kind=access cubicle=app access=read owner=vault place=data signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=read owner=vault place=data signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: text intact
//@ run: read bss
//@ violation: kind=access cubicle=app access=read owner=vault place=data signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=read owner=vault place=data signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: text intact
//@ run: read tls
//@ violation: kind=access cubicle=app access=read owner=vault place=stack signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=read owner=vault place=stack signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: text intact
//@ run: read heap
//@ violation: kind=access cubicle=app access=read owner=vault place=heap signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=read owner=vault place=heap signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: text intact
//@ run: read map
//@ violation: kind=access cubicle=app access=read owner=vault place=heap|stack signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=read owner=vault place=heap|stack signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: text intact
//@ run: read stack
//@ violation: kind=access cubicle=app access=read owner=vault place=stack signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=read owner=vault place=stack signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: text intact
//@ run: read frame
//@ violation: kind=access cubicle=app access=read owner=vault place=frame signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=read owner=vault place=frame signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: text intact
//@ run: read first-stack
//@ violation: kind=access cubicle=app access=read owner=vault place=stack signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=read owner=vault place=stack signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: text intact
//@ run: write data
//@ violation: kind=access cubicle=app access=write owner=vault place=data signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=write owner=vault place=data signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: written, damaged
//@ run: write bss
//@ violation: kind=access cubicle=app access=write owner=vault place=data signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=write owner=vault place=data signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: written, damaged
//@ run: write tls
//@ violation: kind=access cubicle=app access=write owner=vault place=stack signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=write owner=vault place=stack signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: written, damaged
//@ run: write heap
//@ violation: kind=access cubicle=app access=write owner=vault place=heap signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=write owner=vault place=heap signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: written, damaged
//@ run: write map
//@ violation: kind=access cubicle=app access=write owner=vault place=heap|stack signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=write owner=vault place=heap|stack signal=11 code=4 key=3 chain=
//@ without: rights
//@ then: stdout: written, damaged
//@ run: write stack
//@ violation: kind=access cubicle=app access=write owner=vault place=stack signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=write owner=vault place=stack signal=11 code=4 key=3 chain=
//@ run: write frame
//@ violation: kind=access cubicle=app access=write owner=vault place=frame signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=write owner=vault place=frame signal=11 code=4 key=3 chain=
//@ run: write first-stack
//@ violation: kind=access cubicle=app access=write owner=vault place=stack signal=11 chain=
//@[pku] violation: kind=access cubicle=app access=write owner=vault place=stack signal=11 code=4 key=3 chain=
//@ run: write constants
//@ violation: kind=access cubicle=app access=write owner=vault place=constants
//@ run: write text
//@ violation: kind=access cubicle=app access=write owner=vault place=text
//@ run: write own-text
//@ signal: 11
//@ violation: kind=crash cubicle=app access=write owner=app place=text
//@ run: write own-constants
//@ signal: 11
//@ violation: kind=crash cubicle=app access=write owner=app place=constants
//@ run: write gate
//@ violation: kind=access cubicle=app access=write owner=monitor place=monitor
//@ run: read gate
//@ stdout: text intact
//@ run: write monitor-text
//@ violation: kind=access cubicle=app access=write owner=monitor place=monitor
//@ run: write plan
//@ violation: kind=access cubicle=app access=write owner=monitor place=monitor
//@ run: read plan
//@ only: pku
//@ violation: kind=access cubicle=app access=read owner=monitor place=monitor code=4 key=0
//@ without: rights
//@ then: stdout: text intact
//@ run: read monitor-data
//@ only: pku
//@ violation: kind=access cubicle=app access=read owner=monitor place=monitor code=4 key=0
//@ without: rights
//@ then: stdout: text intact
//@ run: write monitor-data
//@ only: pku
//@ violation: kind=access cubicle=app access=write owner=monitor place=monitor code=4 key=0
//@ run: write thread-block
//@ only: pku
//@ violation: kind=access cubicle=app access=write owner=monitor place=monitor code=4 key=1
//@ run: read thread-block
//@ only: pku
//@ stdout: text intact
//@ run: read signal-stack
//@ only: pku
//@ violation: kind=access cubicle=app access=read owner=monitor place=monitor code=4 key=0
//@ without: rights
//@ then: stdout: text intact
//@ run: write signal-stack
//@ only: pku
//@ violation: kind=access cubicle=app access=write owner=monitor place=monitor code=4 key=0
//@ without: rights
//@ then: stdout: written, intact
//@ run: read monitor-stack
//@ only: pku
//@ violation: kind=access cubicle=app access=read owner=monitor place=monitor code=4 key=0
//@ without: rights
//@ then: stdout: text intact
//@ run: execute data
//@ violation: kind=access cubicle=app access=execute owner=vault place=data
//@ run: execute own-data
//@ signal: 11
//@ violation: kind=crash cubicle=app access=execute owner=app place=data

#include <stdlib.h>
#include <string.h>
#include "check.h"

long vault_address(int);
int vault_intact(void);

static const char constants[16] = "constants";
static char own_data[16] = "\xc3";

/* A word of the thread block: monitor_stack is the third, signal_header the fifth. */
static long block(int word)
{
	long value;
	__asm__("movq %%gs:(%1), %0" : "=r"(value) : "r"(8L * word));
	return value;
}

static long address(const char *what)
{
	static const char *const names[] = { "data", "bss", "constants", "tls", "heap", "map", "stack", "frame", "text",
		"first-stack" };
	for (int i = 0; i < 10; i++)
		if (strcmp(what, names[i]) == 0)
			return vault_address(i);
	if (strcmp(what, "own-text") == 0)
		return (long)address;
	if (strcmp(what, "own-constants") == 0)
		return (long)constants;
	if (strcmp(what, "own-data") == 0)
		return (long)own_data;
	if (strcmp(what, "gate") == 0)
		return (long)vault_intact;
	if (strcmp(what, "plan") == 0)
		return 0x2000000;
	if (strcmp(what, "thread-block") == 0)
		return block(1);
	if (strcmp(what, "monitor-stack") == 0)
		return block(2) - 64;
	if (strcmp(what, "monitor-data") == 0)
		return block(3);
	if (strcmp(what, "signal-stack") == 0)
		return block(4);
	if (strcmp(what, "monitor-text") == 0)
		return 0x1000000;
	abort();
}

int main(int count, char **arguments)
{
	if (count < 3)
		return 1;
	char *at = (char *)address(arguments[2]);
	vault_address(0);
	if (strcmp(arguments[1], "write") == 0) {
		*(volatile char *)at = 'W';
		printf("written,");
	} else if (strcmp(arguments[1], "execute") == 0)
		((void (*)(void))at)();
	else
		printf("%s", strcmp(arguments[2], "constants") == 0 ? (char[]){ *(volatile char *)at, 0 } :
			(*(volatile char *)at, "text"));
	puts(vault_intact() ? " intact" : " damaged");
}
