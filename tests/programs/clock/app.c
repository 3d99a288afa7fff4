//! A cubicle that may ask the kernel for nothing still reads the clock, because
//! the vDSO needs no system call.
//@ stdout: clock 0, sleep EPERM

#include <errno.h>
#include <time.h>
#include "check.h"

int lib_clock(long);
int lib_sleep(void);

int main(void)
{
	struct timespec now;
	CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
	int clock = lib_clock(now.tv_sec);
	int sleep = lib_sleep();
	printf("clock %d, sleep %s\n", clock, sleep == EPERM ? "EPERM" : "something else");
}
