#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "attack.h"

#define PARK 0x43550000L
#define PARK_THREAD 0x43550001L
#define ATTACH 1

static char stack[1 << 18] __attribute__((aligned(16)));
static int in_thread;

static void attack(void)
{
	if (app_way() & WIPED)
		app_call_helper();
	else
		helper_call_codec();
}

static int thread(void *nothing)
{
	if (in_thread)
		attack();
	syscall(PARK_THREAD);
	return nothing != NULL;
}

/* In place of the runtime's `main`, which is never reached: whenever a thread enters this
 * cubicle, it makes one that shares its thread-locals, and waits. */
__attribute__((constructor)) static void serve(void)
{
	while (syscall(PARK, NULL) == ATTACH) {
		unsigned long pointer;
		__asm__("mov %%fs:0, %0" : "=r"(pointer));
		in_thread = app_way() & IN_THREAD;
		const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS;
		clone(thread, stack + sizeof stack, flags, NULL, NULL, (void *)pointer);
		if (!in_thread)
			attack();
	}
	exit(0);
}

/* The call that has not ended: from here on nobody has made it. */
void codec_go_back(void)
{
	/* Until helper's other thread has done its part. */
	for (int i = 0; i < 300; i++) {
		if (syscall(in_thread ? PARK_THREAD : PARK, NULL) != -1)
			exit(0); /* It was let go, and this is the end of the program. */
		usleep(1000);
	}
	puts("codec is refused");
	exit(0);
}

void codec_use(void) {}
