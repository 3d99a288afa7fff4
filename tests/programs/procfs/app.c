//! The memory of the process is a file, too, through which the kernel reads and
//! writes whatever the processor would refuse.
//@ run: /proc/self/mem
//@ stdout: the file stays closed: EACCES
//@ without: procfs
//@ then: stdout: read: secret
//@ then: stdout: overwritten

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <string.h>
#include "check.h"

long vault_address(void);
int vault_intact(void);

int main(int count, char **arguments)
{
	char bytes[16] = "";
	long at = vault_address();
	int memory = open(count > 1 ? arguments[1] : "", O_RDWR);
	if (memory == -1) {
		printf("the file stays closed: %s\n", strerrorname_np(errno));
		return 0;
	}
	if (pread(memory, bytes, sizeof bytes - 1, at) > 0)
		printf("read: %s\n", bytes);
	pwrite(memory, "taken!", 6, at);
	puts(vault_intact() ? "intact" : "overwritten");
}
