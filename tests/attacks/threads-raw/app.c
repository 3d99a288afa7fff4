//! Threads that no libc would make: with flags of the attacker's choice, and with
//! words in another cubicle's memory that the kernel would write when they begin or
//! end.
//@ run: flags
//@ stdout: every one refused
//@ run: begin
//@ stdout: EFAULT, and the vault is intact
//@ run: stack
//@ violation: kind=access cubicle=app owner=vault place=data
//@ run: clear
//@ stdout: the vault is intact
//@ without: thread-words
//@ then: stdout: overwritten
//@ run: robust
//@ stdout: the vault is intact
//@ without: thread-words
//@ then: stdout: overwritten

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"
#include "vault.h"

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS)

static char stack[65536] __attribute__((aligned(16)));
static volatile int id, over, go = 1;

struct robust {
	void *first;
	long offset;
	void *pending;
};
static struct robust head;

static unsigned long thread_pointer(void)
{
	unsigned long pointer;
	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	return pointer;
}

/* It shares its creator's thread-locals, so it makes nothing but system calls. */
static long raw(long number, long a, long b)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return result;
}

static int thread(void *nothing)
{
	(void)nothing;
	while (!go)
		raw(SYS_sched_yield, 0, 0);
	if (head.first != NULL)
		raw(SYS_set_robust_list, (long)&head, sizeof head);
	over = 1;
	raw(SYS_exit, 0, 0);
	return 0;
}

static int starts(unsigned long flags, void *top, void *parent, unsigned long pointer, void *child)
{
	return clone(thread, top, (int)flags, NULL, parent, (void *)pointer, child);
}

static int refused(unsigned long flags, unsigned long pointer, int error)
{
	errno = 0;
	return starts(flags, stack + sizeof stack, NULL, pointer, NULL) == -1 && errno == error;
}

static void settle(unsigned intact)
{
	while (!over)
		usleep(1000);
	usleep(100000);
	puts(vault_get() == intact ? "the vault is intact" : "overwritten");
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	unsigned long own = thread_pointer(), word = vault_address();
	if (strcmp(how, "flags") == 0) {
		CHECK(refused(CLONE_VM | SIGCHLD, own, EPERM));
		CHECK(refused(CLONE_VM | CLONE_VFORK | SIGSYS, own, EPERM));
		CHECK(refused(SIGCHLD, own, EPERM));
		CHECK(refused(THREAD & ~CLONE_VM, own, EINVAL));
		CHECK(refused(THREAD & ~CLONE_SIGHAND, own, EINVAL));
		CHECK(refused(THREAD & ~CLONE_FILES, own, EINVAL));
		CHECK(refused(THREAD & ~CLONE_SETTLS, own, EINVAL));
		CHECK(refused(THREAD | CLONE_NEWNS, own, EINVAL));
		CHECK(refused(THREAD | CLONE_NEWUSER, own, EINVAL));
		CHECK(refused(THREAD | CLONE_PTRACE, own, EINVAL));
		CHECK(refused(THREAD | CLONE_UNTRACED, own, EINVAL));
		CHECK(refused(THREAD | CLONE_PARENT, own, EINVAL));
		CHECK(refused(THREAD | CLONE_IO, own, EINVAL));
		CHECK(refused(THREAD | SIGSYS, own, EINVAL));
		/* A thread pointer that would fault in a gate. */
		CHECK(refused(THREAD, 1UL << 63, EPERM));
		CHECK(refused(THREAD, 1UL << 47, EPERM));
		CHECK(syscall(SYS_clone3, &own, sizeof own) == -1 && errno == ENOSYS);
		CHECK(!over);
		puts("every one refused");
	}
	if (strcmp(how, "begin") == 0) {
		CHECK(starts(THREAD | CLONE_PARENT_SETTID, stack + sizeof stack, (void *)word, own, NULL) == -1);
		int error = errno;
		usleep(100000);
		CHECK(!over && vault_get() == 5);
		printf("%s, and the vault is intact\n", strerrorname_np(error));
	}
	if (strcmp(how, "stack") == 0) {
		/* Not by the libc's `clone`, which would write there itself. */
		long result;
		register long r10 __asm__("r10") = 0;
		register unsigned long r8 __asm__("r8") = own;
		__asm__ volatile("syscall\n test %%rax, %%rax\n jne 1f\n push %%rax\n 1:"
			: "=a"(result)
			: "a"(SYS_clone), "D"(THREAD), "S"(word), "d"(0L), "r"(r10), "r"(r8)
			: "rcx", "r11", "memory");
		CHECK(result > 0);
		pause();
	}
	if (strcmp(how, "clear") == 0) {
		CHECK(starts(THREAD | CLONE_CHILD_CLEARTID, stack + sizeof stack, NULL, own, (void *)word) > 0);
		settle(5);
	}
	if (strcmp(how, "robust") == 0) {
		/* The next entry is the head again: the list has one. */
		static struct { void *next; } entry;
		entry.next = &head;
		head.offset = (long)word - (long)&entry;
		head.first = &entry;
		/* The vault holds the id of the thread, as a mutex would. */
		go = 0;
		id = starts(THREAD, stack + sizeof stack, NULL, own, NULL);
		CHECK(id > 0);
		vault_put((unsigned)id);
		go = 1;
		settle((unsigned)id);
	}
	return 0;
}
