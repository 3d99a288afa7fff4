//! Second walls: with the monitor's own refusal left out, the kernel refuses the
//! same; with the wall left out as well, it works.
//@ run: executable
//@ only: Cubicle
//@ stdout: refused EACCES
//@ without: memory-calls
//@ then: stdout: refused EPERM
//@ without: memory-calls filter
//@ then: stdout: executed 42
//@ run: unmap-text
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: memory-calls
//@ then: stdout: refused EPERM
//@ without: memory-calls sealed
//@ then: stdout: done
//@ then: signal: 11
//@ then: violation: kind=crash cubicle=vault access=execute place=text
//@ run: replace-text
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: memory-calls
//@ then: stdout: refused EPERM
//@ without: memory-calls sealed
//@ then: stdout: done
//@ then: signal: 11
//@ then: violation: kind=crash cubicle=vault access=execute place=text
//@ run: replace-gate
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: memory-calls
//@ then: stdout: refused EPERM
//@ without: memory-calls sealed
//@ then: stdout: done
//@ run: close-plan
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: memory-calls
//@ then: stdout: refused EPERM
//@ without: memory-calls sealed
//@ then: stdout: done
//@ run: close-monitor
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: memory-calls
//@ then: stdout: refused EPERM
//@ without: memory-calls sealed
//@ then: stdout: done
//@ run: move-stubs
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: memory-calls
//@ then: stdout: refused EPERM
//@ without: memory-calls sealed
//@ then: stdout: done
//@ then: violation: kind=access access=execute owner=monitor
//@ run: not-granted
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: grants
//@ then: stdout: refused EPERM
//@ without: grants filter
//@ then: stdout: done
//@ run: refused
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: refused grants
//@ then: stdout: refused EPERM
//@ without: refused grants filter
//@ then: stdout: done
//@ run: read-as-process
//@ only: pku Cubicle
//@ stdout: refused EPERM
//@ without: refused grants
//@ then: stdout: refused EPERM
//@ without: refused grants filter
//@ then: stdout: read secret
//@ run: new-key
//@ only: pku Cubicle
//@ stdout: refused EPERM
//@ without: refused grants
//@ then: stdout: refused EPERM
//@ without: refused grants filter
//@ then: stdout: done
//@ run: terminal-input
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: options
//@ then: stdout: refused EPERM
//@ without: options filter
//@ then: stdout: refused ENOTTY
//@ run: owner
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: options
//@ then: stdout: refused EPERM
//@ without: options filter
//@ then: stdout: done
//@ run: limit
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: options
//@ then: stdout: refused EPERM
//@ without: options filter
//@ then: stdout: done
//@ run: dumpable
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: options
//@ then: stdout: refused EPERM
//@ without: options filter
//@ then: stdout: 0
//@ without: options filter not-dumpable
//@ then: stdout: 1
//@ run: dumpable
//@ only: dumps
//@ stdout: refused EPERM
//@ without: options filter
//@ then: stdout: 1
//@ run: dispatch
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: options
//@ then: stdout: refused EPERM
//@ without: options filter
//@ then: stdout: done
//@ then: stdout: nobody looks: 11
//@ run: privileges
//@ only: Cubicle
//@ stdout: refused EPERM
//@ without: options filter
//@ then: stdout: 1
//@ without: options filter landlock no-new-privileges
//@ then: stdout: 0
//@ run: list
//@ only: Cubicle
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: refused EACCES
//@ without: files landlock
//@ then: stdout: done
//@ run: change
//@ only: Cubicle
//@ stdout: refused EACCES
//@ without: files
//@ then: stdout: refused EACCES
//@ without: files landlock
//@ then: stdout: done

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "check.h"

long vault_address(void), vault_code(void);

static int result(long answer)
{
	if (answer == -1)
		printf("refused %s\n", strerrorname_np(errno));
	else
		puts("done");
	return 0;
}

static long cover(long at)
{
	return (long)mmap((void *)at, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static int number(long answer)
{
	if (answer == -1)
		return result(-1);
	printf("%ld\n", answer);
	return 0;
}

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	char bytes[7] = "";
	vault_address();
	if (strcmp(what, "executable") == 0) {
		/* mov $42, %eax; ret */
		char *code = aligned_alloc(4096, 4096);
		memcpy(code, "\xb8\x2a\0\0\0\xc3", 6);
		if (mprotect(code, 4096, PROT_READ | PROT_EXEC) == -1)
			return result(-1);
		printf("executed %d\n", ((int (*)(void))code)());
		return 0;
	}
	if (strcmp(what, "unmap-text") == 0)
		return result(munmap((void *)vault_code(), 4096));
	if (strcmp(what, "replace-text") == 0)
		return result(cover(vault_code()));
	/* The last gate there could be on the page of the first. */
	if (strcmp(what, "replace-gate") == 0) {
		long at = cover((long)vault_code & -4096);
		return result(at);
	}
	if (strcmp(what, "close-plan") == 0)
		return result(mprotect((void *)0x2001000, 4096, PROT_READ | PROT_WRITE));
	if (strcmp(what, "close-monitor") == 0)
		return result(mprotect((void *)0x1008000, 4096, PROT_READ | PROT_WRITE));
	if (strcmp(what, "move-stubs") == 0)
		return result((long)mremap((void *)0x3000000, 4096, 8192, MREMAP_MAYMOVE));
	if (strcmp(what, "not-granted") == 0)
		return result(syscall(SYS_socket, 1, 1, 0));
	if (strcmp(what, "refused") == 0)
		return result(syscall(SYS_personality, 0xffffffffUL));
	if (strcmp(what, "read-as-process") == 0) {
		struct iovec here = { bytes, 6 }, there = { (void *)vault_address(), 6 };
		if (syscall(SYS_process_vm_readv, getpid(), &here, 1, &there, 1, 0) == -1)
			return result(-1);
		printf("read %s\n", bytes);
		return 0;
	}
	if (strcmp(what, "new-key") == 0)
		return result(syscall(SYS_pkey_alloc, 0, 0));
	if (strcmp(what, "terminal-input") == 0)
		return result(syscall(SYS_ioctl, 0, 0x5412, "x"));
	if (strcmp(what, "owner") == 0)
		return result(fcntl(0, F_SETOWN, getpid()));
	if (strcmp(what, "limit") == 0) {
		struct rlimit limit;
		getrlimit(RLIMIT_NOFILE, &limit);
		return result(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL));
	}
	if (strcmp(what, "dumpable") == 0)
		return number(syscall(SYS_prctl, 3, 0, 0, 0, 0));
	if (strcmp(what, "dispatch") == 0) {
		if (result(syscall(SYS_prctl, 59 /* PR_SET_SYSCALL_USER_DISPATCH */, 0, 0, 0, 0)) || errno)
			return 0;
		/* A number that the monitor knows nothing of. */
		long answer;
		__asm__ volatile("syscall" : "=a"(answer) : "a"(SYS_personality), "D"(0xffffffffUL) : "rcx", "r11", "memory");
		printf("nobody looks: %ld\n", answer < 0 ? -answer : 11);
		return 0;
	}
	if (strcmp(what, "privileges") == 0)
		return number(syscall(SYS_prctl, 39, 0, 0, 0, 0));
	if (strcmp(what, "list") == 0)
		return result(open("..", O_RDONLY | O_DIRECTORY));
	if (strcmp(what, "change") == 0)
		return result(open("made", O_WRONLY | O_CREAT, 0600));
	return 1;
}
