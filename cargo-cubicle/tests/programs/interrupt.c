/* Interrupts a partitioned program once at every instruction that it executes between two
 * marks, by SIGUSR1, and tells it by SIGUSR2 when there is none left.
 *
 *     interrupt everywhere|gates PROGRAM ARGUMENT...
 *     interrupt behind PROGRAM ARGUMENT... ADDRESS
 *
 * The latter once, when the program comes from the first mark to the address, or behind the WRPKRU
 * that is there.
 *
 * The program makes a system call of its own invention before and behind what it tries, in
 * a loop. The first time it is stepped through and every place is noted; then there is
 * a breakpoint at one of them each time. Not interrupted are the monitor's own handlers: there
 * every signal is blocked, so it would come where they return to.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers that neither the kernel nor the monitor has. */
#define BEGIN 0x43559000
#define END 0x43559001

/* runtime/abi/src/layout.rs */
#define MONITOR_BASE 0x01000000L
#define STUB_BASE 0x03000000L
#define ENTRY_BASE 0x03001000L
#define GATE_BASE 0x04000000L
#define SLOT_BASE 0x08000000L
#define ENTRY_STRIDE 1024
#define RESUME_AGAIN (ENTRY_STRIDE / 2 + 64)

#define MOST 100000

static long places[MOST];
static int count;
/* Or in gates and stubs only? */
static int everywhere;
static pid_t child;

static void fail(const char *what)
{
	perror(what);
	kill(child, SIGKILL);
	exit(1);
}

/* It must come somewhere first. */
static int waits;

/* The program's end, if it has ended. */
static int wait_stop(void)
{
	int status;
	if (waitpid(child, &status, 0) != child)
		fail("waitpid");
	if (waits && (WIFEXITED(status) || WIFSIGNALED(status)))
		printf("was not interrupted\n"), fflush(stdout);
	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	if (WIFSIGNALED(status)) {
		/* As it ended, so that whoever looks sees it. */
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
		exit(1);
	}
	return WSTOPSIG(status);
}

static void resume(int request, int signal)
{
	if (ptrace(request, child, 0, (long)signal))
		fail("ptrace");
}

static long instruction(void)
{
	struct user_regs_struct registers;
	if (ptrace(PTRACE_GETREGS, child, 0, &registers))
		fail("PTRACE_GETREGS");
	return (long)registers.rip;
}

/* The call that was dispatched, if a signal says that one was. */
static int dispatched(int signal)
{
	siginfo_t information;
	if (signal != SIGSYS || ptrace(PTRACE_GETSIGINFO, child, 0, &information))
		return 0;
	return information.si_syscall;
}

/* Is it one of this program's, or does the monitor step? */
static int is_breakpoint(int signal)
{
	siginfo_t information;
	return signal == SIGTRAP && !ptrace(PTRACE_GETSIGINFO, child, 0, &information) &&
	       information.si_code == TRAP_HWBKPT;
}

static void debug_register(int number, long value)
{
	long at = (long)offsetof(struct user, u_debugreg) + number * (long)sizeof(long);
	if (ptrace(PTRACE_POKEUSER, child, at, value))
		fail("PTRACE_POKEUSER");
}

/* Breakpoints at up to four addresses; at 0, none. */
static void break_at(const long *addresses)
{
	long enabled = 0;
	debug_register(7, 0);
	for (int i = 0; i < 4; i++)
		if (addresses[i]) {
			debug_register(i, addresses[i]);
			enabled |= 1L << 2 * i;
		}
	debug_register(7, enabled);
}

static const long nowhere[4];

/* Where the monitor's handlers return to, of the first two cubicles. */
static const long returns[4] = {
	ENTRY_BASE,
	ENTRY_BASE + RESUME_AGAIN,
	ENTRY_BASE + ENTRY_STRIDE,
	ENTRY_BASE + ENTRY_STRIDE + RESUME_AGAIN,
};

/* Lets the monitor's handler run that `signal` is for, up to where it returns. */
static void pass(int signal)
{
	break_at(returns);
	do {
		resume(PTRACE_CONT, signal);
		signal = wait_stop();
	} while (!is_breakpoint(signal));
	break_at(nowhere);
}

static int continue_to(int mark, int signal)
{
	for (;;) {
		resume(PTRACE_CONT, signal);
		signal = wait_stop();
		if (dispatched(signal) == mark)
			return signal;
	}
}

static void note(long place)
{
	if (!everywhere && (place < STUB_BASE || place >= SLOT_BASE))
		return;
	for (int i = 0; i < count; i++)
		if (places[i] == place)
			return;
	if (count < MOST)
		places[count++] = place;
}

/* Steps from one mark to the other. */
static void look(int signal)
{
	for (;;) {
		if (signal != SIGTRAP)
			pass(signal);
		note(instruction());
		resume(PTRACE_SINGLESTEP, 0);
		signal = wait_stop();
		if (dispatched(signal) == END)
			return;
	}
}

static int within(long start, long end)
{
	int found = 0;
	for (int i = 0; i < count; i++)
		found += places[i] >= start && places[i] < end;
	return found;
}

/* Interrupts it where it first comes to, of these. */
static void once(long address)
{
	int signal = continue_to(BEGIN, 0);
	const long wrpkru = 0xef010f;
	long found = ptrace(PTRACE_PEEKTEXT, child, address, 0);
	long here[4] = {(found & 0xffffff) == wrpkru ? address + 3 : address};
	break_at(here);
	waits = 1;
	for (;;) {
		resume(PTRACE_CONT, signal);
		signal = wait_stop();
		if (is_breakpoint(signal)) {
			break_at(nowhere);
			waits = 0;
			signal = SIGUSR1;
		}
	}
}

int main(int argc, char **arguments)
{
	if (argc < 3)
		return 2;
	everywhere = strcmp(arguments[1], "everywhere") == 0;
	arguments++;
	child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(arguments[1], arguments + 1);
		_exit(127);
	}
	wait_stop();
	if (strcmp(arguments[0], "behind") == 0)
		once(strtol(arguments[argc - 2], NULL, 16));
	int signal = continue_to(BEGIN, 0);
	look(signal);
	int missed = 0;
	for (int i = 0; i < count; i++) {
		signal = continue_to(BEGIN, SIGSYS);
		long here[4] = {places[i]};
		break_at(here);
		resume(PTRACE_CONT, signal);
		signal = wait_stop();
		/* What the first one does once need not come again. */
		while (!is_breakpoint(signal) && dispatched(signal) != END) {
			resume(PTRACE_CONT, signal);
			signal = wait_stop();
		}
		break_at(nowhere);
		if (!is_breakpoint(signal)) {
			missed++;
			kill(child, SIGUSR1);
			continue;
		}
		if (instruction() != places[i])
			fail("a breakpoint somewhere else");
		resume(PTRACE_CONT, SIGUSR1);
		for (;;) {
			signal = wait_stop();
			if (dispatched(signal) == END)
				break;
			resume(PTRACE_CONT, signal);
		}
	}
	if (missed > count / 10)
		printf("%d of %d places did not come again\n", missed, count);
	if (getenv("INTERRUPT_COUNT"))
		fprintf(stderr, "%d places, %d of them did not come again\n", count, missed);
	printf("interrupted%s%s%s\n", within(GATE_BASE, SLOT_BASE) ? " gates" : "",
	       within(STUB_BASE, GATE_BASE) ? " stubs" : "", within(MONITOR_BASE, STUB_BASE) ? " monitor" : "");
	fflush(stdout);
	signal = continue_to(BEGIN, SIGSYS);
	kill(child, SIGUSR1);
	kill(child, SIGUSR2);
	for (;;) {
		resume(PTRACE_CONT, signal);
		signal = wait_stop();
	}
}
