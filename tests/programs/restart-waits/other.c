#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include "check.h"
#include "lib.h"

long other_polls(int descriptor)
{
	struct pollfd wanted = {descriptor, POLLIN, 0};
	int found = poll(&wanted, 1, -1);
	CHECK(found == 1 && errno != EINTR);
	return 1;
}

static int looping;

void other_ends_loop(void) { __atomic_store_n(&looping, 0, __ATOMIC_SEQ_CST); }

long other_loops(void)
{
	long result;
	__atomic_store_n(&looping, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&looping, __ATOMIC_SEQ_CST))
		__asm__ volatile("");
	/* An instruction of its own, which the kernel must hand to the monitor. */
	__asm__ volatile("syscall" : "=a"(result) : "a"(SYS_open), "D"("/dev/null"), "S"(O_RDONLY) : "rcx", "r11", "memory");
	CHECK(result == -EPERM);
	return 1;
}
