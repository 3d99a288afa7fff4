#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

int app_seen(void);

static volatile sig_atomic_t handled;

static void count(int signal)
{
	(void)signal;
	handled++;
}

int lib_add(int a, int b) { return a + b; }

void lib_raise(int signal)
{
	errno = 3;
	CHECK(raise(signal) == 0);
	CHECK(errno == 3);
}

/* Works in its own memory until app has seen another signal. */
int lib_work(int before)
{
	unsigned char block[512], other[512];
	memset(block, before, sizeof block);
	errno = 7;
	do {
		for (int i = 0; i < 200; i++) {
			memcpy(other, block, sizeof other);
			memcpy(block, other, sizeof other);
		}
		CHECK(errno == 7);
	} while (app_seen() == before || before < 0);
	for (unsigned i = 0; i < sizeof block; i++)
		CHECK(block[i] == (unsigned char)before);
	return app_seen();
}

int lib_sleep(void)
{
	struct timespec time = {1000, 0};
	return nanosleep(&time, NULL) == -1 ? errno : 0;
}

/* Waits with something in its registers for a signal that app handles. */
long lib_secret(void)
{
	long done = 0;
	for (long i = 0; i < 100 && !done; i++) {
		__asm__ volatile("mov $0x5ec2e7, %%ebx\n\tmov %%rbx, %%r12\n\tmov %%rbx, %%r13\n\tmov %%rbx, %%r14\n\tmov %%rbx, %%r15\n\t"
				 "mov %%rbx, %%r8\n\tmov %%rbx, %%r9\n\tmov %%rbx, %%r10\n\tmovq %%rbx, %%xmm13\n\tmovq %%rbx, %%xmm14\n\t"
				 "mov $30000000, %%ecx\n1:\tdec %%ecx\n\tjne 1b"
				 ::: "rbx", "rcx", "r8", "r9", "r10", "r12", "r13", "r14", "r15", "xmm13", "xmm14", "cc");
		done = app_seen();
	}
	return done;
}

int lib_takes(int number) { return signal(number, count) == SIG_ERR; }
int lib_gives(int number) { return signal(number, SIG_DFL) == SIG_ERR; }
int lib_handled(void) { return handled; }

void lib_block(int number, int blocked)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

int lib_waits(int number)
{
	lib_block(number, 1);
	raise(number);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, number);
	return sigwaitinfo(&set, NULL);
}

int lib_handles_while_calling(void)
{
	raise(SIGUSR2);
	raise(SIGUSR1);
	return handled;
}

int lib_registers(void)
{
	long good = 1;
	for (int i = 0; i < 100; i++) {
		long in = i * 0x123456789L, out = 0;
		double vector = i + 0.5, got = 0;
		long double x87 = i + 0.25L, back = 0;
		__asm__ volatile("mov %[in], %%r13\n\tmovsd %[vector], %%xmm9\n\tfldt %[x87]\n\tmov $300000, %%ecx\n"
				 "1:\tdec %%ecx\n\tjne 1b\n\tmov %%r13, %[out]\n\tmovsd %%xmm9, %[got]\n\tfstpt %[back]"
				 : [out] "=m"(out), [got] "=m"(got), [back] "=m"(back)
				 : [in] "r"(in), [vector] "m"(vector), [x87] "m"(x87)
				 : "rcx", "r13", "xmm9", "memory", "cc");
		good &= out == in && got == vector && back == x87;
	}
	return good;
}
