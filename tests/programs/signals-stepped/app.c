//! A signal at each instruction of a call, of a callback, of system calls, of the start and the
//! end of another signal's handler, and of the mending of a fault. Its handler is app's or
//! lib's, and calls the other one itself. Everything must be as if nothing had happened, and the
//! handler must have run once.
//@ run: app call
//@ interrupted: everywhere
//@ stdout: interrupted gates stubs monitor
//@ stdout: right each time
//@ only: Cubicle
//@ run: app call
//@ interrupted: gates
//@ stdout: interrupted gates stubs
//@ stdout: right each time
//@ only: caller-sees callee-sees lending fast
//@ run: lib call
//@ interrupted: gates
//@ stdout: interrupted gates stubs
//@ stdout: right each time
//@ only: Cubicle lending
//@ run: app callback
//@ interrupted: gates
//@ stdout: interrupted gates stubs
//@ stdout: right each time
//@ only: Cubicle caller-sees callee-sees lending
//@ run: app patched
//@ interrupted: everywhere
//@ stdout: interrupted stubs monitor
//@ stdout: right each time
//@ only: Cubicle
//@ run: app dispatched
//@ interrupted: gates
//@ stdout: interrupted stubs
//@ stdout: right each time
//@ only: Cubicle
//@ run: lib signal
//@ interrupted: gates
//@ stdout: interrupted stubs
//@ stdout: right each time
//@ only: Cubicle
//@ run: app signal
//@ interrupted: everywhere
//@ stdout: interrupted stubs monitor
//@ stdout: right each time
//@ only: Cubicle
//@ run: app mend
//@ interrupted: gates
//@ stdout: interrupted stubs
//@ stdout: right each time
//@ only: Cubicle

#define _GNU_SOURCE
#include <cubicle.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

double lib_sum(long *numbers, double factor, long a, long b, long c, long d, long on_stack, long last);
int lib_each(int (*function)(int), int times);
void lib_install(void);
void lib_touch(volatile int *);
int lib_handled(void);

static volatile sig_atomic_t handled, done, inner;

static double call(void)
{
	long numbers[2] = {3, 4};
	double sum = lib_sum(numbers, 0.5, 1, 2, 3, 4, 5, 6);
	return sum;
}

static int twice(int value) { return 2 * value; }

int app_seen(int value) { return value + 1; }

static void handler(int signal)
{
	(void)signal;
	int before = errno;
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm1, %%xmm1\n\tpcmpeqd %%xmm15, %%xmm15\n\tfld1"
			 "\n\tfninit" ::: "xmm0", "xmm1", "xmm15", "st");
	CHECK(lib_each(twice, 2) == 2);
	errno = before;
	handled++;
}

static void stop(int signal)
{
	(void)signal;
	done = 1;
}

static void other(int signal)
{
	(void)signal;
	inner++;
}

static volatile int page[1024] __attribute__((aligned(4096)));

static long raw(long number)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
	return result;
}

static void mark(long number) { CHECK(raw(number) == -EPERM); }

int main(int argc, char **arguments)
{
	const char *whose = argc > 1 ? arguments[1] : "", *what = argc > 2 ? arguments[2] : "";
	int libs = strcmp(whose, "lib") == 0;
	if (libs)
		lib_install();
	else
		signal(SIGUSR1, handler);
	signal(SIGUSR2, stop);
	signal(SIGALRM, other);
	CHECK(call() == 14);
	long parent = getppid();
	int window = cubicle_window_init();
	CHECK(cubicle_window_add(window, (void *)page, sizeof page) == 0);
	CHECK(cubicle_window_open(window, cubicle_find("lib")) == 0);
	long expected = 0;
	for (int round = 0; !done; round++) {
		int right = 0;
		inner = 0;
		errno = 77;
		if (strcmp(what, "mend") == 0)
			lib_touch(page);
		mark(0x43559000);
		if (strcmp(what, "call") == 0)
			right = call() == 14;
		else if (strcmp(what, "callback") == 0)
			right = lib_each(twice, 1) == 0;
		else if (strcmp(what, "patched") == 0)
			right = getppid() == parent;
		else if (strcmp(what, "dispatched") == 0)
			right = raw(SYS_getppid) == parent;
		else if (strcmp(what, "signal") == 0)
			right = raise(SIGALRM) == 0 && inner == 1;
		else if (strcmp(what, "mend") == 0)
			right = page[7] == round + 1;
		mark(0x43559001);
		int all = libs ? lib_handled() : handled;
		if (!right || errno != 77 || all != expected) {
			printf("round %d: %d, errno %d, handled %d instead of %ld\n", round, right, errno, all, expected);
			fflush(stdout);
		}
		expected = all + 1;
	}
	printf("right each time\n");
}
