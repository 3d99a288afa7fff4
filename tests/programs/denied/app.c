//! What a denied call comes to: by default an error, else a record of it as well,
//! or the end.
//@ run: call
//@ only: error
//@ stdout: EPERM EPERM
//@ stdout: done
//@ run: call
//@ only: Cubicle
//@ stdout: EPERM EPERM
//@ stdout: done
//@ status: 0
//@ violation: kind=system-call cubicle=lib outcome=error call=101 signal=absent detail=whatever_the_manifest_says chain=lib_call
//@ run: call
//@ only: kill
//@ violation: kind=system-call cubicle=lib outcome=absent call=101 detail=whatever_the_manifest_says chain=lib_call
//@ report: ptrace
//@ run: grant
//@ only: Cubicle
//@ stdout: EPERM EPERM
//@ stdout: done
//@ status: 0
//@ violation: kind=system-call cubicle=lib outcome=error call=41 detail=it_is_not_granted chain=lib_call
//@ run: grant
//@ only: kill
//@ violation: kind=system-call cubicle=lib outcome=absent call=41 detail=it_is_not_granted chain=lib_call
//@ report: socket
//@ run: option
//@ only: kill
//@ violation: kind=system-call cubicle=lib outcome=absent call=157 detail=this_option chain=lib_call
//@ run: number
//@ only: Cubicle
//@ stdout: EPERM EPERM
//@ stdout: done
//@ status: 0
//@ violation: kind=system-call cubicle=lib outcome=error call=100000 detail=it_is_not_granted chain=lib_call
//@ run: path
//@ only: error
//@ stdout: EACCES EACCES
//@ stdout: done
//@ run: path
//@ only: Cubicle
//@ stdout: EACCES EACCES
//@ stdout: done
//@ status: 0
//@ violation: kind=system-call cubicle=lib outcome=error call=257 detail=/ chain=lib_call
//@ run: path
//@ only: kill
//@ violation: kind=system-call cubicle=lib outcome=absent call=257 detail=/ chain=lib_call
//@ report: openat

#include <string.h>
#include "check.h"

void lib_call(long number, long a, long b);

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	if (strcmp(how, "call") == 0)
		lib_call(101, 0, 0);
	if (strcmp(how, "grant") == 0)
		lib_call(41, 2, 1);
	if (strcmp(how, "option") == 0)
		lib_call(157, 4, 1);
	if (strcmp(how, "number") == 0)
		lib_call(100000, 0, 0);
	if (strcmp(how, "path") == 0)
		lib_call(257, -100, 0);
	puts("done");
}
