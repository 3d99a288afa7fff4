//! What the kernel would do for a cubicle if it had the monitor's rights: read and write another's
//! memory. `deputy` has all calls that take pointers; here are three of them, one after the other.
//@ only: pku
//@ run: read
//@ stdout: refused EFAULT
//@ without: callers-rights
//@ then: stdout: read secret
//@ run: write
//@ stdout: refused EFAULT
//@ without: callers-rights
//@ then: stdout: written, damaged
//@ run: clock
//@ stdout: refused EFAULT
//@ without: callers-rights
//@ then: stdout: written, damaged

#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

long vault_address(void);
int vault_intact(void);

static int refused(void)
{
	printf("refused %s\n", strerrorname_np(errno));
	return 0;
}

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	char *foreign = (char *)vault_address(), bytes[7] = "";
	int ends[2];
	CHECK(pipe(ends) == 0);
	if (strcmp(what, "read") == 0) {
		if (write(ends[1], foreign, 6) == -1)
			return refused();
		CHECK(read(ends[0], bytes, 6) == 6);
		printf("read %s\n", bytes);
		return 0;
	}
	if (strcmp(what, "write") == 0) {
		CHECK(write(ends[1], "public", 6) == 6);
		if (read(ends[0], foreign, 6) == -1)
			return refused();
	}
	if (strcmp(what, "clock") == 0 && syscall(SYS_clock_gettime, 0, foreign) == -1)
		return refused();
	printf("written, %s\n", vault_intact() ? "intact" : "damaged");
	return 0;
}
