//! Signals whose handlers belong to the cubicle that they find.
//@ run: handler
//@ stdout: handler: 3 of 3, value 7
//@ run: mask
//@ stdout: blocked 1, then 1 handled
//@ run: nested
//@ stdout: outer 1 inner 1, order 1 2
//@ run: nodefer
//@ stdout: 3 deep
//@ run: reset
//@ stdout: once, then the default
//@ signal: 10
//@ run: alternate
//@ stdout: on the alternate stack: 1, back off it: 1
//@ run: eintr
//@ stdout: interrupted 1
//@ run: restart
//@ stdout: read x after 1
//@ run: registers
//@ stdout: registers kept
//@ run: context
//@ stdout: went on where the handler said
//@ run: jump
//@ stdout: out of 100 handlers
//@ run: queue
//@ stdout: queued 1 2 3
//@ run: wait
//@ stdout: waited 10, timed out 11, suspended 12, pending 1
//@ run: poll
//@ stdout: ppoll 1 pselect 1 epoll 1
//@ run: descriptor
//@ stdout: signalfd 12
//@ run: pipe
//@ stdout: SIGPIPE 1, EPIPE
//@ run: ignored
//@ stdout: ignored, EPIPE
//@ run: default
//@ signal: 15
//@ run: fault
//@ stdout: own fault handled at the right address
//@ run: overflow
//@ stdout: stack overflow handled
//@ run: stack
//@ stdout: found its own stack, and lib's nowhere
//@ run: fpe
//@ stdout: SIGFPE handled
//@ run: blockedfault
//@ violation: kind=crash cubicle=app signal=11
//@ signal: 11
//@ run: abort
//@ stdout: SIGABRT handled
//@ run: old
//@ stdout: as installed

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "check.h"

int lib_add(int, int);
void *lib_memory(void);

static volatile sig_atomic_t handled, value, depth, order[4], ordered;
static sigjmp_buf point;

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags, int also)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	sigemptyset(&action.sa_mask);
	if (also)
		sigaddset(&action.sa_mask, also);
	CHECK(sigaction(signal, &action, NULL) == 0);
}

static void count(int signal, siginfo_t *information, void *context)
{
	(void)context;
	CHECK(signal == information->si_signo);
	value = information->si_value.sival_int;
	handled++;
}

/* The timer comes whatever the program does: it looks until it has come. */
static void soon(long microseconds)
{
	struct itimerval timer = {.it_value = {0, microseconds}};
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* Over and over: what it should interrupt may not have begun when it first comes. */
static void often(long microseconds)
{
	struct itimerval timer = {{0, microseconds}, {0, microseconds}};
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void block(int signal, int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK(sigprocmask(how, &set, NULL) == 0);
}

static void handler(void)
{
	install(SIGUSR1, count, 0, 0);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 7});
	printf("handler: %d of 3, value %d\n", handled, value);
}

static void mask(void)
{
	install(SIGUSR1, count, 0, 0);
	block(SIGUSR1, SIG_BLOCK);
	raise(SIGUSR1);
	sigset_t set;
	sigpending(&set);
	int pending = sigismember(&set, SIGUSR1) && handled == 0;
	block(SIGUSR1, SIG_UNBLOCK);
	printf("blocked %d, then %d handled\n", pending, handled);
}

static volatile sig_atomic_t outer_done, inner_done;

static void inner(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	order[ordered++] = 2;
	inner_done = 1;
}

static void outer(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	/* SIGUSR2 is blocked here. */
	raise(SIGUSR2);
	CHECK(!inner_done);
	order[ordered++] = 1;
	outer_done = 1;
}

static void nested(void)
{
	install(SIGUSR1, outer, 0, SIGUSR2);
	install(SIGUSR2, inner, 0, 0);
	raise(SIGUSR1);
	printf("outer %d inner %d, order %d %d\n", outer_done, inner_done, order[0], order[1]);
}

static void again(int signal, siginfo_t *information, void *context)
{
	(void)information, (void)context;
	if (++depth < 3)
		raise(signal);
}

static void nodefer(void)
{
	install(SIGUSR1, again, SA_NODEFER, 0);
	raise(SIGUSR1);
	printf("%d deep\n", depth);
}

static void reset(void)
{
	install(SIGUSR1, count, SA_RESETHAND, 0);
	raise(SIGUSR1);
	if (handled == 1)
		printf("once, then the default\n");
	fflush(stdout);
	raise(SIGUSR1);
}

static char *low, *high;
static volatile sig_atomic_t on_alternate;

static void where(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	char here;
	stack_t now;
	CHECK(sigaltstack(NULL, &now) == 0);
	on_alternate = &here > low && &here < high && now.ss_flags == SS_ONSTACK;
	CHECK(sigaltstack(&now, NULL) == -1 && errno == EPERM);
}

static void alternate(void)
{
	stack_t stack = {.ss_size = 64 << 10, .ss_sp = malloc(64 << 10)};
	low = stack.ss_sp;
	high = low + stack.ss_size;
	CHECK(sigaltstack(&stack, NULL) == 0);
	install(SIGUSR1, where, SA_ONSTACK, 0);
	raise(SIGUSR1);
	stack_t now;
	CHECK(sigaltstack(NULL, &now) == 0);
	printf("on the alternate stack: %d, back off it: %d\n", on_alternate, now.ss_flags == 0 && now.ss_sp == low);
}

static void eintr(void)
{
	install(SIGALRM, count, 0, 0);
	int ends[2];
	CHECK(pipe(ends) == 0);
	char byte;
	often(20000);
	ssize_t got = read(ends[0], &byte, 1);
	CHECK(got == -1 && errno == EINTR);
	struct timespec time = {1000, 0};
	CHECK(nanosleep(&time, &time) == -1 && errno == EINTR && time.tv_sec > 0);
	CHECK(pause() == -1 && errno == EINTR);
	often(0);
	printf("interrupted %d\n", handled >= 3);
}

static int feed;

static void writes(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	handled++;
	CHECK(write(feed, "x", 1) == 1);
}

static void restart(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	feed = ends[1];
	install(SIGALRM, writes, SA_RESTART, 0);
	soon(20000);
	char byte = 0;
	CHECK(read(ends[0], &byte, 1) == 1);
	printf("read %c after %d\n", byte, handled);
}

static void spoil(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	/* All that a handler may change. */
	__asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15\n\tfldpi\n\tfldl2e\n\tfninit"
			 ::: "xmm0", "xmm7", "xmm15", "st");
	CHECK(lib_add(1, 2) == 3);
	handled++;
}

static void registers(void)
{
	install(SIGALRM, spoil, 0, 0);
	for (int i = 0; i < 20; i++) {
		handled = 0;
		soon(2000);
		unsigned long general = 0x1234567890abcdefUL + i, out;
		double vector = 0.1 + i, got;
		long double x87 = 0.3L + i, back;
		const volatile sig_atomic_t *done = &handled;
		/* A red zone, too: this function has none in use here. */
		__asm__ volatile("mov %[general], %%r15\n\t"
				 "movsd %[vector], %%xmm15\n\t"
				 "fldt %[x87]\n\t"
				 "movq %[general], -16(%%rsp)\n"
				 "1:\tcmpl $0, (%[done])\n\tje 1b\n\t"
				 "fstpt %[back]\n\t"
				 "movsd %%xmm15, %[got]\n\t"
				 "cmpq %%r15, -16(%%rsp)\n\tjne 2f\n\t"
				 "mov %%r15, %[out]\n"
				 "2:\n\t"
				 : [out] "=&r"(out), [got] "=m"(got), [back] "=m"(back)
				 : [general] "r"(general), [vector] "m"(vector), [x87] "m"(x87), [done] "r"(done)
				 : "r15", "xmm15", "memory", "cc");
		CHECK(out == general && got == vector && back == x87);
	}
	printf("registers kept\n");
}

extern char spinning[], landing[];

static void divert(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information;
	ucontext_t *interrupted = context;
	if (interrupted->uc_mcontext.gregs[REG_RIP] != (long)spinning) {
		/* Not there yet. */
		soon(2000);
		return;
	}
	interrupted->uc_mcontext.gregs[REG_RIP] = (long)landing;
	interrupted->uc_mcontext.gregs[REG_RAX] = 77;
}

static void context(void)
{
	install(SIGALRM, divert, 0, 0);
	soon(2000);
	long result;
	__asm__ volatile(".globl spinning, landing\nspinning:\tjmp spinning\nlanding:" : "=a"(result) :: "memory");
	if (result == 77)
		printf("went on where the handler said\n");
}

static void jumps(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)information, (void)context;
	siglongjmp(point, 1);
}

static void jump(void)
{
	install(SIGALRM, jumps, 0, 0);
	volatile int out = 0;
	while (out < 100) {
		if (sigsetjmp(point, 1) == 0) {
			soon(500);
			for (;;)
				lib_add(1, 2);
		}
		out++;
	}
	printf("out of %d handlers\n", out);
}

static volatile sig_atomic_t values[3];

static void keep(int signal, siginfo_t *information, void *context)
{
	(void)signal, (void)context;
	CHECK(information->si_code == SI_QUEUE && information->si_pid == getpid());
	values[handled++] = information->si_value.sival_int;
}

static void queue(void)
{
	install(SIGRTMIN + 2, keep, 0, 0);
	block(SIGRTMIN + 2, SIG_BLOCK);
	for (int i = 1; i <= 3; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i}) == 0);
	CHECK(handled == 0);
	block(SIGRTMIN + 2, SIG_UNBLOCK);
	printf("queued %d %d %d\n", values[0], values[1], values[2]);
}

static void wait_for(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	block(SIGUSR1, SIG_BLOCK);
	raise(SIGUSR1);
	siginfo_t information;
	int got = sigwaitinfo(&set, &information);
	CHECK(information.si_signo == SIGUSR1 && information.si_pid == getpid());
	struct timespec time = {0, 1000000};
	int late = sigtimedwait(&set, NULL, &time) == -1 ? errno : 0;
	install(SIGUSR2, count, 0, 0);
	block(SIGUSR2, SIG_BLOCK);
	raise(SIGUSR2);
	CHECK(handled == 0);
	sigset_t none;
	sigemptyset(&none);
	CHECK(sigsuspend(&none) == -1 && errno == EINTR && handled == 1);
	/* It is blocked again. */
	raise(SIGUSR2);
	CHECK(handled == 1);
	sigpending(&none);
	printf("waited %d, timed out %d, suspended %d, pending %d\n", got, late, SIGUSR2, sigismember(&none, SIGUSR2));
}

static void poll_all(void)
{
	install(SIGUSR1, count, 0, 0);
	block(SIGUSR1, SIG_BLOCK);
	sigset_t none;
	sigemptyset(&none);
	struct timespec time = {10, 0};
	int ends[2];
	CHECK(pipe(ends) == 0);
	struct pollfd wanted = {ends[0], POLLIN, 0};
	raise(SIGUSR1);
	int polled = ppoll(&wanted, 1, &time, &none) == -1 && errno == EINTR && handled == 1;
	raise(SIGUSR1);
	CHECK(handled == 1);
	int selected = pselect(0, NULL, NULL, NULL, &time, &none) == -1 && errno == EINTR && handled == 2;
	raise(SIGUSR1);
	int group = epoll_create1(0);
	struct epoll_event event;
	int waited = epoll_pwait(group, &event, 1, 10000, &none) == -1 && errno == EINTR && handled == 3;
	/* Without a signal nothing changes. */
	time.tv_sec = 0;
	CHECK(ppoll(&wanted, 1, &time, &none) == 0);
	raise(SIGUSR1);
	CHECK(handled == 3);
	printf("ppoll %d pselect %d epoll %d\n", polled, selected, waited);
}

static void descriptor(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	block(SIGUSR2, SIG_BLOCK);
	int file = signalfd(-1, &set, SFD_CLOEXEC);
	CHECK(file >= 0);
	raise(SIGUSR2);
	struct signalfd_siginfo information;
	CHECK(read(file, &information, sizeof information) == sizeof information);
	printf("signalfd %u\n", information.ssi_signo);
}

static void broken_pipe(int ignore)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	close(ends[0]);
	if (ignore)
		signal(SIGPIPE, SIG_IGN);
	else
		install(SIGPIPE, count, 0, 0);
	CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
	if (ignore)
		printf("ignored, EPIPE\n");
	else
		printf("SIGPIPE %d, EPIPE\n", handled);
}

static char *forbidden;

static void mend(int signal, siginfo_t *information, void *context)
{
	(void)context;
	if (signal == SIGSEGV && information->si_addr == forbidden && information->si_code == SEGV_ACCERR)
		CHECK(mprotect(forbidden, 4096, PROT_READ | PROT_WRITE) == 0);
	handled++;
}

static void fault(void)
{
	forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	install(SIGSEGV, mend, 0, 0);
	*(volatile char *)forbidden = 1;
	if (handled == 1)
		printf("own fault handled at the right address\n");
}

static void leave(int signal, siginfo_t *information, void *context)
{
	(void)information, (void)context;
	siglongjmp(point, signal);
}

__attribute__((noinline)) static int endless(volatile char *above)
{
	volatile char space[4096];
	space[0] = above[0];
	return endless(space) + space[0];
}

static void overflow(void)
{
	stack_t stack = {.ss_size = 64 << 10, .ss_sp = malloc(64 << 10)};
	CHECK(sigaltstack(&stack, NULL) == 0);
	install(SIGSEGV, leave, SA_ONSTACK, 0);
	char start = 0;
	if (sigsetjmp(point, 1) == 0)
		endless(&start);
	printf("stack overflow handled\n");
}

/* libc looks in procfs, where there is nothing but what is this cubicle's own. */
static void stack(void)
{
	pthread_attr_t attributes;
	void *start = NULL;
	size_t size = 0;
	CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
	CHECK(pthread_attr_getstack(&attributes, &start, &size) == 0);
	char *here = (char *)&attributes;
	CHECK(here >= (char *)start && here < (char *)start + size);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[200];
	unsigned long from, to, other = (unsigned long)lib_memory();
	int lines = 0, foreign = 0;
	while (maps && fgets(line, sizeof line, maps) && sscanf(line, "%lx-%lx", &from, &to) == 2) {
		lines++;
		foreign += other >= from && other < to;
	}
	CHECK(lines > 3);
	CHECK(fopen("/proc/self/maps", "r+") == NULL);
	if (!foreign)
		printf("found its own stack, and lib's nowhere\n");
}

static void divide(void)
{
	install(SIGFPE, leave, 0, 0);
	if (sigsetjmp(point, 1) == 0)
		__asm__ volatile("xorl %%ecx, %%ecx\n\tcltd\n\tidivl %%ecx" ::: "eax", "ecx", "edx", "cc");
	printf("SIGFPE handled\n");
}

static void abort_handled(void)
{
	install(SIGABRT, leave, 0, 0);
	if (sigsetjmp(point, 1) == 0)
		abort();
	printf("SIGABRT handled\n");
}

static void old(void)
{
	struct sigaction before;
	install(SIGUSR1, count, SA_RESTART, SIGUSR2);
	CHECK(sigaction(SIGUSR1, NULL, &before) == 0);
	if (before.sa_sigaction == count && (before.sa_flags & (SA_SIGINFO | SA_RESTART)) == (SA_SIGINFO | SA_RESTART) &&
	    sigismember(&before.sa_mask, SIGUSR2))
		printf("as installed\n");
	CHECK(sigaction(SIGUSR2, NULL, &before) == 0 && before.sa_handler == SIG_DFL);
	CHECK(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);
}

int main(int count, char **arguments)
{
	/* lib has a virtual thread. */
	CHECK(lib_add(1, 2) == 3);
	const char *what = count > 1 ? arguments[1] : "";
#define RUN(name, call) if (strcmp(what, name) == 0) call
	RUN("handler", handler());
	RUN("mask", mask());
	RUN("nested", nested());
	RUN("nodefer", nodefer());
	RUN("reset", reset());
	RUN("alternate", alternate());
	RUN("eintr", eintr());
	RUN("restart", restart());
	RUN("registers", registers());
	RUN("context", context());
	RUN("jump", jump());
	RUN("queue", queue());
	RUN("wait", wait_for());
	RUN("poll", poll_all());
	RUN("descriptor", descriptor());
	RUN("pipe", broken_pipe(0));
	RUN("ignored", broken_pipe(1));
	RUN("default", raise(SIGTERM));
	RUN("fault", fault());
	RUN("overflow", overflow());
	RUN("fpe", divide());
	RUN("stack", stack());
	RUN("blockedfault", (block(SIGSEGV, SIG_BLOCK), install(SIGSEGV, leave, 0, 0), *(volatile int *)8 = 1));
	RUN("abort", abort_handled());
	RUN("old", old());
}
