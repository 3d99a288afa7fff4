/* System calls by libc's own sites, which are patched, and by an instruction
 * that cannot be, which is dispatched. */

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../common/measure.h"

static volatile long get_parent = SYS_getppid;
static volatile long read_file = SYS_read;

/* The number comes from memory, so no patch finds it. */
static long raw(long number, long first, void *second, long third)
{
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}

int main(void)
{
	char byte;
	struct timespec time;
	int zero = open("/dev/zero", O_RDONLY);
	if (zero < 0)
		return 1;
	MEASURE("getppid", getppid());
	MEASURE("getppid dispatched", raw(get_parent, 0, 0, 0));
	MEASURE("read", if (read(zero, &byte, 1) != 1) return 1);
	MEASURE("read dispatched", if (raw(read_file, zero, &byte, 1) != 1) return 1);
	MEASURE("clock_gettime", clock_gettime(CLOCK_MONOTONIC, &time));
	return 0;
}
