//! A second thread of the caller changes what the first one lends while the monitor
//! looks at it: a string's end, a length in memory, a length among the stack
//! arguments. The callee gets what the monitor has judged, or else it would read on
//! in its own memory.
//@ run: string
//@ stdout: never changed
//@[pagetable] without: read-once
//@ then: stdout: changed
//@ run: negative
//@ stdout: never changed
//@[pagetable] without: read-once
//@ then: stdout: changed
//@ run: request
//@ stdout: never changed
//@ run: counted
//@ stdout: never changed
//@[pagetable] without: read-once
//@ then: stdout: changed
//@ run: stack
//@ stdout: never changed
//@[pagetable] without: read-once
//@ then: stdout: changed

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "lib.h"

enum { CALLS = 40000 };

static unsigned char data[4096];
static char text[128];
static volatile unsigned long size = 16;
static struct request request = { data, 16, text };
static const char *how;
static volatile int stop;

/* What the call finds as its stack: the seventh and eighth argument. */
static unsigned long stack[4096] __attribute__((used, aligned(16)));
#define SEVENTH 4000

/* For a moment, or until it wakes up in the middle of whatever the other one does, if
 * there is one processor for both. */
static void wait_between(int round)
{
	if (round % 16 == 0)
		usleep(1);
	for (int i = 0; i < 50; i++)
		__asm__ volatile("pause");
}

static void *changes(void *nothing)
{
	volatile char *end = &text[15];
	volatile unsigned long *word = &stack[SEVENTH + 1], *field = &request.size;
	for (int round = 0; !stop; round++) {
		*end = 'x';
		*word = *field = size = sizeof data;
		wait_between(round);
		*end = 0;
		*word = *field = size = 16;
		wait_between(round);
	}
	return nothing;
}

static int eight(void)
{
	int result;
	__asm__ volatile("mov %%rsp, %%rbx\n lea stack+8*4000(%%rip), %%rsp\n"
		"mov $1, %%edi\n mov $2, %%esi\n mov $3, %%edx\n mov $4, %%ecx\n mov $5, %%r8d\n mov $6, %%r9d\n"
		"call lib_eight\n mov %%rbx, %%rsp\n"
		: "=a"(result)
		:
		: "rbx", "rdi", "rsi", "rdx", "rcx", "r8", "r9", "r10", "r11", "memory", "cc",
		  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
		  "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return result;
}

static int is_right(void)
{
	unsigned long length = 15;
	if (strcmp(how, "string") == 0)
		length = lib_length(text);
	if (strcmp(how, "negative") == 0)
		length = lib_length_or(text, -1);
	if (strcmp(how, "request") == 0)
		return lib_request(&request);
	if (strcmp(how, "counted") == 0)
		return lib_counted(data, (const unsigned long *)&size);
	if (strcmp(how, "stack") == 0)
		return eight();
	return length == 15 || length == 127;
}

int main(int count, char **arguments)
{
	pthread_t thread;
	int right = 1;
	how = count > 1 ? arguments[1] : "";
	memset(data, 'd', sizeof data);
	memset(text, 't', sizeof text - 1);
	text[15] = 0;
	stack[SEVENTH] = (unsigned long)data;
	stack[SEVENTH + 1] = 16;
	CHECK(pthread_create(&thread, NULL, changes, NULL) == 0);
	for (int call = 0; call < CALLS && right; call++)
		right = is_right();
	stop = 1;
	CHECK(pthread_join(thread, NULL) == 0);
	puts(right ? "never changed" : "changed");
}
