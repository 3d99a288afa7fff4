#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "attack.h"

#define PARK 0x43550000L
#define PARK_THREAD 0x43550001L
#define ATTACH 1

static char stacks[2][1 << 16] __attribute__((aligned(16)));
static int made;
static long first, data;

static void count(int signal) { (void)signal; }

/* What app has made its handler, in the hope that it gets h's rights. */
static void attack(int signal)
{
	/* So it comes with app's own. */
	if (signal == SIGBUS)
		return;
	long before = v_filled();
	v_takes('A');
	puts(v_filled() > before + 200 ? "v's stack is in its data" : "v has a stack of its own");
	fflush(stdout);
	_exit(0);
}

long h_prepares(int thread, long place)
{
	first = thread;
	data = place;
	signal(SIGUSR1, count);
	return (long)attack;
}

static int thread(void *nothing)
{
	(void)nothing;
	if (first == gettid()) {
		long result;
		__asm__ volatile("mov %%rsp, %%rbx\n\tmov %2, %%rsp\n\tsyscall\n\tmov %%rbx, %%rsp"
			: "=a"(result)
			: "a"((long)SYS_tgkill), "r"(data), "D"((long)getpid()), "S"(first), "d"((long)SIGBUS)
			: "rbx", "rcx", "r11", "memory");
	}
	syscall(PARK_THREAD);
	return 0;
}

/* In place of the runtime's `main`. The threads share its thread-locals. */
__attribute__((constructor)) static void serve(void)
{
	while (syscall(PARK, NULL) == ATTACH && made < 2) {
		unsigned long pointer;
		__asm__("mov %%fs:0, %0" : "=r"(pointer));
		const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS;
		clone(thread, stacks[made] + sizeof stacks[made], flags, NULL, NULL, (void *)pointer);
		made++;
	}
	exit(0);
}
