//! A cubicle without grants can compute and allocate, and nothing else: of all
//! numbers, those get an answer that the monitor answers for every cubicle.
//@ stdout: mmap mprotect munmap brk rt_sigaction rt_sigprocmask mremap madvise rt_sigpending rt_sigtimedwait sigaltstack arch_prctl tkill futex set_tid_address set_robust_list

#include <errno.h>
#include <sys/syscall.h>
#include "check.h"

long lib_ask(long number, long argument);
int lib_works(void);

static const struct { long number; const char *name; } names[] = {
	{ SYS_mmap, "mmap" }, { SYS_mprotect, "mprotect" }, { SYS_munmap, "munmap" }, { SYS_brk, "brk" },
	{ SYS_rt_sigaction, "rt_sigaction" }, { SYS_rt_sigprocmask, "rt_sigprocmask" }, { SYS_mremap, "mremap" },
	{ SYS_madvise, "madvise" }, { SYS_sigaltstack, "sigaltstack" }, { SYS_arch_prctl, "arch_prctl" },
	{ SYS_futex, "futex" }, { SYS_set_tid_address, "set_tid_address" }, { SYS_tgkill, "tgkill" },
	{ SYS_set_robust_list, "set_robust_list" }, { SYS_rt_sigpending, "rt_sigpending" },
	{ SYS_rt_sigtimedwait, "rt_sigtimedwait" }, { SYS_rt_sigqueueinfo, "rt_sigqueueinfo" },
	{ SYS_tkill, "tkill" }, { SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo" }, { SYS_kill, "kill" },
};

static const char *name(long number)
{
	static char text[32];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == number)
			return names[i].name;
	sprintf(text, "%ld", number);
	return text;
}

static int denied(long answer) { return answer == -EPERM || answer == -ENOSYS; }

int main(void)
{
	const long argument = -1;
	int first = 1;
	CHECK(lib_works());
	for (long number = 0; number <= 511; number++) {
		/* These do not come back, or begin a thread, or wait for a signal. */
		if (number == SYS_exit || number == SYS_exit_group || number == SYS_clone || number == SYS_rt_sigreturn ||
			number == SYS_pause || number == SYS_rt_sigsuspend)
			continue;
		if (!denied(lib_ask(number, -1)) || !denied(lib_ask(number, 0))) {
			printf("%s%s", first ? "" : " ", name(number));
			first = 0;
		}
	}
	puts("");
	/* Numbers that no kernel has, and those of other architectures. */
	for (long number = 512; number < 700; number++)
		CHECK(denied(lib_ask(number, argument)));
	for (long number = 0; number < 600; number++)
		CHECK(denied(lib_ask(0x40000000 | number, argument)));
	CHECK(denied(lib_ask(-1, argument)));
	CHECK(lib_works());
}
