//! app attacks with what it says about signals: contexts that no kernel has written, stacks in
//! vault's memory, masks and handlers for what the monitor needs, and the trap flag.
//@ run: pkru
//@ stdout: went on with its own rights
//@ only: pku
//@ run: everything
//@ stdout: went on, in 64-bit mode, without the trap flag
//@ run: nothing
//@ stdout: went on
//@ run: mask
//@ stdout: went on
//@ stdout: and system calls are dispatched
//@ run: noncanonical
//@ violation: kind=crash cubicle=app signal=11
//@ signal: 11
//@ run: monitor
//@ violation: kind=gate|access|crash cubicle=app
//@[pku] violation: kind=gate|access cubicle=app
//@ harmless: nothing
//@ only: pku
//@ run: context
//@ violation: kind=crash cubicle=app signal=11
//@ signal: 11
//@ run: extended
//@ violation: kind=crash cubicle=app signal=11
//@ signal: 11
//@[pku] without: signal-frames
//@[pku] then: stdout: read ssssssss
//@ run: beyond
//@ violation: kind=crash cubicle=app signal=11
//@ signal: 11
//@ run: alternate
//@ violation: kind=crash cubicle=app signal=11
//@ signal: 11
//@[pku] without: signal-stacks
//@[pku] then: stdout: vault is overwritten
//@ run: alternate-context
//@ violation: kind=crash cubicle=app signal=11
//@ signal: 11
//@ run: alternate-fault
//@ violation: kind=crash cubicle=app signal=4
//@ signal: 4
//@ run: stack
//@ violation: kind=crash cubicle=app signal=11
//@ signal: 11
//@[pku] without: signal-stacks
//@[pku] then: stdout: vault is overwritten
//@ run: stack-fault
//@ violation: kind=crash cubicle=app signal=4
//@ signal: 4
//@ run: handlers
//@ stdout: system calls work, and nobody handled them
//@ violation: kind=access cubicle=app owner=vault
//@ run: blocked
//@ stdout: system calls work
//@ violation: kind=access cubicle=app owner=vault
//@ run: forged
//@ stdout: EPERM EPERM EPERM
//@ run: deliver
//@ stdout: EPERM
//@ run: trap
//@ violation: kind=gate signal=5
//@ run: trap-call
//@ violation: kind=gate signal=5
//@ run: trap-resume
//@ violation: kind=gate signal=5
//@ run: trap-own
//@ violation: kind=crash cubicle=app signal=5
//@ signal: 5
//@ run: trap-handled
//@ stdout: its own trap is its own
//@ run: raised
//@ stdout: SIGSYS handled, SIGTRAP handled, SIGSEGV handled

#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "check.h"

void *vault_memory(void);
int vault_is_whole(void);

static char *vault;
static sigjmp_buf point;
static volatile sig_atomic_t handled;
static unsigned char extended[4096] __attribute__((aligned(64)));
static struct {
	uint64_t flags, link, stack[3], registers[16], rip, rflags, selectors, error, trap, old, cr2, extended, reserved[8], mask;
} forged __attribute__((aligned(16)));
enum { R8, R9, R10, R11, R12, R13, R14, R15, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP };

static unsigned char stack[65536] __attribute__((aligned(16)));

/* What a forged context leads to. */
extern char landed[];
static uint64_t landed_flags, landed_vector __attribute__((used));
static uint16_t landed_code __attribute__((used));

__asm__(".text\n.globl landed\nlanded:\n"
	"pushfq\npop landed_flags(%rip)\ncld\n"
	"mov %cs, landed_code(%rip)\n"
	"movq %xmm7, landed_vector(%rip)\n"
	"and $-16, %rsp\ncall after\n");

static const char *what;
static int is(const char *name) { return strcmp(what, name) == 0; }

/* A context as the kernel would have written it. */
static void prepare(void)
{
	memset(&forged, 0, sizeof forged);
	memset(extended, 0, sizeof extended);
	forged.registers[RSP] = (uint64_t)stack + sizeof stack - 256;
	forged.rip = (uint64_t)landed;
	forged.rflags = 0x202;
	forged.selectors = 0x2b000000000033;
	forged.extended = (uint64_t)extended;
	*(uint32_t *)(extended + 24) = 0x1f80;
	*(uint64_t *)(extended + 512) = 3;
}

__attribute__((noreturn)) static void come_back(void *context)
{
	__asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" :: "r"(context) : "memory");
	__builtin_unreachable();
}

__attribute__((noreturn, used)) static void after_c(void)
{
	if (is("pkru")) {
		unsigned rights;
		__asm__ volatile("xor %%ecx, %%ecx\n\trdpkru" : "=a"(rights) :: "ecx", "edx");
		/* Two bits for each key: 0 is the monitor's, 1 public and for reading, 2 app's, 3 vault's. */
		printf(rights == 0x55555549 ? "went on with its own rights\n" : "went on with %x\n", rights);
	} else if (is("everything"))
		printf("went on, in %s mode, %s the trap flag\n", landed_code == 0x33 ? "64-bit" : "another",
		       landed_flags & 0x100 ? "with" : "without");
	else if (is("extended"))
		printf("read %.8s\n", (char *)&landed_vector);
	else
		printf("went on\n");
	fflush(stdout);
	if (is("mask")) {
		CHECK(syscall(SYS_getppid) == getppid());
		printf("and system calls are dispatched\n");
		fflush(stdout);
	}
	_exit(0);
}
__asm__(".text\nafter: call after_c\n");

static void count(int signal)
{
	(void)signal;
	handled++;
}

static void leave(int signal) { siglongjmp(point, signal); }

/* A handler that has the stack it wants, and can do nothing with it. */
__attribute__((naked)) static void escape(int signal)
{
	(void)signal;
	__asm__("lea stack+32768(%rip), %rsp\n\tcall escaped");
}

__attribute__((used)) static void escaped(void)
{
	printf(vault_is_whole() ? "vault is whole\n" : "vault is overwritten\n");
	fflush(stdout);
	_exit(0);
}

static void install(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	CHECK(sigaction(signal, &action, NULL) == 0);
}

static void forge(void)
{
	prepare();
	if (is("pkru")) {
		/* PKRU is the last component that there is room for: all of it says 0. */
		*(uint64_t *)(extended + 512) = ~0UL;
	}
	if (is("everything")) {
		memset(extended, 0xff, sizeof extended);
		forged.flags = forged.link = ~0UL;
		memset(forged.stack, 0xff, sizeof forged.stack);
		forged.rflags = ~0UL & ~0x44400UL;
		forged.selectors = 0x23002b002b0023;
		forged.error = forged.trap = forged.old = forged.cr2 = ~0UL;
		memset(forged.reserved, 0xff, sizeof forged.reserved);
	}
	if (is("nothing"))
		forged.extended = 0;
	if (is("mask"))
		forged.mask = ~0UL;
	if (is("noncanonical"))
		forged.rip = 1UL << 63;
	if (is("monitor"))
		forged.rip = 0x01001000;
	if (is("extended")) {
		/* xmm7 would be vault's. */
		forged.extended = (uint64_t)vault;
	}
	if (is("beyond"))
		forged.extended = (uint64_t)-4096;
	come_back(is("context") ? (void *)vault : &forged);
}

static void on_stack(void)
{
	stack_t alternate = {.ss_sp = vault, .ss_size = 65536};
	if (is("alternate-context")) {
		/* Behind the monitor's back: with the context of a handler. */
		prepare();
		forged.stack[0] = (uint64_t)vault;
		forged.stack[2] = 65536;
		install(SIGALRM, count, SA_ONSTACK);
		forged.rip = (uint64_t)raise;
		forged.registers[RDI] = SIGALRM;
		come_back(&forged);
	}
	CHECK(sigaltstack(&alternate, NULL) == 0);
	install(SIGALRM, escape, SA_ONSTACK);
	install(SIGILL, escape, SA_ONSTACK);
	if (is("alternate"))
		raise(SIGALRM);
	else
		__asm__ volatile("ud2");
}

static void with_stack(void)
{
	install(SIGALRM, escape, 0);
	install(SIGILL, escape, 0);
	/* A system call needs no stack. */
	if (is("stack"))
		__asm__ volatile("mov %0, %%rsp\n\tsyscall\n1:\tpause\n\tjmp 1b"
				 :: "r"(vault + 65536), "a"(SYS_kill), "D"(getpid()), "S"(SIGALRM));
	__asm__ volatile("mov %0, %%rsp\n\tud2" :: "r"(vault + 65536));
}

/* The gate's address is what the linker gave the function. */
static void trap(void)
{
	long target = (long)vault_is_whole;
	if (is("trap-call"))
		target = 0x03001000;
	if (is("trap-resume"))
		target = 0x03001000 + 512 + 64;
	__asm__ volatile("sub $256, %%rsp\n\tpushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tjmp *%0" :: "r"(target), "a"(39) : "memory");
}

int main(int argc, char **arguments)
{
	what = argc > 1 ? arguments[1] : "";
	vault = vault_memory();
	if (is("alternate") || is("alternate-context") || is("alternate-fault"))
		on_stack();
	else if (is("stack") || is("stack-fault"))
		with_stack();
	else if (is("handlers") || is("blocked")) {
		if (is("handlers"))
			for (int signal = 1; signal <= 64; signal++)
				if (signal != SIGKILL && signal != SIGSTOP && signal != 32 && signal != 33)
					install(signal, count, SA_ONSTACK);
		sigset_t all;
		memset(&all, 0xff, sizeof all);
		if (is("blocked"))
			CHECK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8) == 0);
		CHECK(syscall(SYS_getppid) == getppid());
		printf(handled ? "handled %d\n" : is("handlers") ? "system calls work, and nobody handled them\n" : "system calls work\n", handled);
		fflush(stdout);
		*(volatile char *)vault = 1;
		printf("written\n");
	} else if (is("forged")) {
		siginfo_t information = {.si_signo = SIGSYS, .si_code = 2};
		for (int code = 2; code >= 0; code--) {
			information.si_code = code == 1 ? SI_TKILL : code;
			long result = syscall(SYS_rt_sigqueueinfo, getpid(), SIGSYS, &information);
			printf("%s%s", result == -1 && errno == EPERM ? "EPERM" : "sent", code ? " " : "\n");
		}
	} else if (is("deliver"))
		printf("%s\n", syscall(0x43550006) == -1 && errno == EPERM ? "EPERM" : "delivered");
	else if (is("trap") || is("trap-call") || is("trap-resume"))
		trap();
	else if (is("trap-own") || is("trap-handled")) {
		if (is("trap-handled"))
			install(SIGTRAP, leave, 0);
		if (sigsetjmp(point, 1) == 0) {
			__asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop" ::: "memory", "cc");
			printf("no trap\n");
		}
		printf("its own trap is its own\n");
	} else if (is("raised")) {
		int signals[] = {SIGSYS, SIGTRAP, SIGSEGV};
		for (int i = 0; i < 3; i++) {
			install(signals[i], count, 0);
			raise(signals[i]);
		}
		printf(handled == 3 ? "SIGSYS handled, SIGTRAP handled, SIGSEGV handled\n" : "%d\n", handled);
	} else
		forge();
}
