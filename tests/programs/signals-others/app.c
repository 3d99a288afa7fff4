//! Signals that find another cubicle than the one that installed the handler.
//@ run: interrupt
//@ stdout: app handled 50 signals in lib
//@ run: raise
//@ stdout: app handled what lib raised, in app's memory
//@ run: back
//@ stdout: called lib from the handler 50 times
//@ run: system
//@ stdout: lib slept, interrupted 1
//@ run: restart
//@ stdout: lib slept to the end, 1 handled
//@ run: jump
//@ stdout: out of lib 200 times
//@ run: first
//@ stdout: third, never entered before, handled 1
//@ run: nested
//@ stdout: lib handled 1 while app handled 1
//@ run: secret
//@ stdout: nothing of lib's is in the handler's registers
//@ without: interrupted
//@ then: stdout: the handler knows lib's secret
//@ run: taken
//@ stdout: lib 1, then app 1
//@ run: mask
//@ stdout: lib's mask is lib's: 1
//@ run: wait
//@ stdout: lib waited for 12
//@ run: registers
//@ stdout: lib kept its registers
//@ run: calls
//@ stdout: calls survived 300 signals

#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include "check.h"

int lib_spin(volatile int *until, int count);
int lib_add(int, int);
void lib_raise(int);
int lib_sleep(void);
long lib_secret(void);
int lib_takes(int);
int lib_gives(int);
void lib_block(int, int);
int lib_waits(int);
int lib_registers(void);
int lib_handles_while_calling(void);
int lib_handled(void);
int lib_work(int);
void third_install(int);
int third_handled(void);

static volatile sig_atomic_t handled, nested;
static volatile int *stop;
static int private_word = 41;
static sigjmp_buf point;

static void soon(long microseconds)
{
	struct itimerval timer = {.it_value = {0, microseconds}};
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void often(long microseconds)
{
	struct itimerval timer = {{0, microseconds}, {0, microseconds}};
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	sigemptyset(&action.sa_mask);
	CHECK(sigaction(signal, &action, NULL) == 0);
}

static void count(int signal, siginfo_t *information, void *context)
{
	(void)context;
	CHECK(information->si_signo == signal);
	private_word++;
	errno = 99;
	handled++;
}

static void calls(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	CHECK(lib_add(20, 3) == 23);
	handled++;
}

static void leaps(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	siglongjmp(point, 1);
}

/* Called by lib over and over. */
int app_seen(void) { return handled; }

static void in_lib(int times)
{
	while (handled < times) {
		int before = handled;
		soon(500);
		CHECK(lib_work(before) == before + 1);
	}
}

static long word[16];

static void look(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	long vector[4];
	__asm__ volatile("mov %%rbx, 0(%0)\n\tmov %%rbp, 8(%0)\n\tmov %%r12, 16(%0)\n\tmov %%r13, 24(%0)\n\t"
			 "mov %%r14, 32(%0)\n\tmov %%r15, 40(%0)\n\tmov %%r8, 48(%0)\n\tmov %%r9, 56(%0)\n\t"
			 "mov %%r10, 64(%0)\n\tmov %%r11, 72(%0)\n\tmovups %%xmm13, (%1)\n\tmovups %%xmm14, 16(%1)"
			 :: "r"(word), "r"(vector) : "memory");
	memcpy(word + 10, vector, sizeof vector);
	memcpy(word + 14, (char *)context + 40, 16);
	handled++;
}

int main(int argc, char **arguments)
{
	const char *what = argc > 1 ? arguments[1] : "";
#define RUN(name) if (strcmp(what, name) == 0)
	RUN("interrupt") {
		install(SIGALRM, count, 0);
		errno = 5;
		in_lib(50);
		CHECK(private_word == 91);
		printf("app handled %d signals in lib\n", handled);
	}
	RUN("raise") {
		install(SIGUSR1, count, 0);
		lib_raise(SIGUSR1);
		if (handled == 1 && private_word == 42)
			printf("app handled what lib raised, in app's memory\n");
	}
	RUN("back") {
		install(SIGALRM, calls, 0);
		in_lib(50);
		printf("called lib from the handler %d times\n", handled);
	}
	RUN("system") {
		install(SIGALRM, count, 0);
		often(20000);
		printf("lib slept, interrupted %d\n", lib_sleep() == EINTR && handled >= 1);
	}
	RUN("restart") {
		install(SIGUSR1, count, SA_RESTART);
		lib_raise(SIGUSR1);
		printf("lib slept to the end, %d handled\n", handled);
	}
	RUN("jump") {
		install(SIGALRM, leaps, 0);
		volatile int out = 0;
		while (out < 200) {
			if (sigsetjmp(point, 1) == 0) {
				soon(300);
				lib_work(-1);
			}
			CHECK(lib_add(1, 2) == 3);
			out++;
		}
		printf("out of lib %d times\n", out);
	}
	RUN("first") {
		third_install(SIGUSR1);
		raise(SIGUSR1);
		printf("third, never entered before, handled %d\n", third_handled());
	}
	RUN("nested") {
		install(SIGUSR1, count, 0);
		CHECK(lib_takes(SIGUSR2) == 0);
		CHECK(lib_handles_while_calling() == 1);
		printf("lib handled %d while app handled %d\n", lib_handled(), handled);
	}
	RUN("secret") {
		install(SIGALRM, look, 0);
		soon(50000);
		CHECK(lib_secret() == 1);
		int found = 0;
		for (int i = 0; i < 16; i++)
			found += (word[i] & 0xffffffff) == 0x5ec2e7;
		if (!found && handled)
			printf("nothing of lib's is in the handler's registers\n");
		else if (found)
			printf("the handler knows lib's secret\n");
	}
	RUN("taken") {
		install(SIGUSR1, count, 0);
		CHECK(lib_takes(SIGUSR1) == 0);
		raise(SIGUSR1);
		int first = lib_handled();
		CHECK(handled == 0);
		CHECK(lib_gives(SIGUSR1) == 0);
		raise(SIGUSR1);
		CHECK(lib_handled() == 1);
		printf("lib %d, then app %d\n", first, handled);
	}
	RUN("mask") {
		install(SIGUSR1, count, 0);
		lib_block(SIGUSR1, 1);
		raise(SIGUSR1);
		printf("lib's mask is lib's: %d\n", handled);
	}
	RUN("wait") printf("lib waited for %d\n", lib_waits(SIGUSR2));
	RUN("registers") {
		install(SIGALRM, count, 0);
		often(1000);
		if (lib_registers())
			printf("lib kept its registers\n");
	}
	RUN("calls") {
		/* Signals at every place of gates, of both cubicles, and of the way to the monitor. */
		install(SIGALRM, calls, 0);
		int sum = 0;
		for (int i = 0; i < 300; i++) {
			int before = handled;
			soon(50 + 7 * i);
			while (handled == before)
				sum += lib_add(1, 0) != 1;
		}
		CHECK(sum == 0);
		printf("calls survived %d signals\n", handled);
	}
	fflush(stdout);
}
