//! Drivers do what they like with memory: of devices, only those that touch
//! nobody's can be opened. The kernel's log stands for the others.
//@ stdout: /dev/null opened
//@ stdout: /dev/kmsg refused
//@[pku] without: devices
//@ then: stdout: /dev/null opened
//@ then: stdout: /dev/kmsg opened

#include <fcntl.h>
#include <stdio.h>

int lib_answer(void);

static void try(const char *path)
{
	printf("%s %s\n", path, open(path, O_RDONLY) >= 0 ? "opened" : "refused");
}

int main(void)
{
	lib_answer();
	try("/dev/null");
	try("/dev/kmsg");
}
