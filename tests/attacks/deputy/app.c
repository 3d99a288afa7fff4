//! The kernel does for a cubicle only what the cubicle could do itself: foreign
//! pointers are EFAULT, foreign memory is not to be mapped, and what would undo
//! the partition is refused.
//@ stdout: done

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

long vault_static(void);
long vault_heap(void);
long vault_code(void);
int vault_intact(void);

#define FAILS(call, error) (errno = 0, CHECK((long)(call) == -1 && errno == (error)), got(errno, #call, error))
#define RAW(...) syscall(__VA_ARGS__)

static void got(int error, const char *call, int wanted)
{
	if (error != wanted)
		printf("  %s: %s\n", call, strerror(error));
}

static char own[4096] __attribute__((aligned(4096)));

static void pointers(char *foreign)
{
	int ends[2];
	struct timespec now;
	char name[16] = "own";
	CHECK(pipe(ends) == 0);
	CHECK(write(ends[1], "0123456789", 10) == 10);
	FAILS(read(ends[0], foreign, 4), EFAULT);
	FAILS(write(ends[1], foreign, 4), EFAULT);
	struct iovec foreign_first[] = { { foreign, 4 }, { own, 4 } };
	FAILS(readv(ends[0], foreign_first, 2), EFAULT);
	struct iovec foreign_last[] = { { own, 4 }, { foreign, 4 } };
	/* As much as could be. */
	CHECK(readv(ends[0], foreign_last, 2) <= 4);
	CHECK(writev(ends[1], foreign_last, 2) <= 4);
	FAILS(RAW(SYS_readv, ends[0], foreign, 1), EFAULT);
	FAILS(pipe((int *)foreign), EFAULT);
	FAILS(RAW(SYS_open, foreign, O_RDONLY), EFAULT);
	FAILS(RAW(SYS_clock_gettime, CLOCK_REALTIME, foreign), EFAULT);
	FAILS(RAW(SYS_nanosleep, foreign, NULL), EFAULT);
	FAILS(RAW(SYS_getrandom, foreign, 8, 0), EFAULT);
	FAILS(RAW(SYS_fstat, 0, foreign), EFAULT);
	FAILS(RAW(SYS_stat, "/", foreign), EFAULT);
	FAILS(RAW(SYS_statfs, "/", foreign), EFAULT);
	FAILS(RAW(SYS_uname, foreign), EFAULT);
	FAILS(RAW(SYS_getcwd, foreign, 100), EFAULT);
	FAILS(RAW(SYS_times, foreign), EFAULT);
	FAILS(RAW(SYS_poll, foreign, 1, 0), EFAULT);
	FAILS(RAW(SYS_ioctl, ends[0], FIONREAD, foreign), EFAULT);
	FAILS(RAW(SYS_fcntl, ends[0], F_GETLK, foreign), EFAULT);
	FAILS(RAW(SYS_prctl, PR_GET_NAME, foreign), EFAULT);
	FAILS(RAW(SYS_prctl, PR_SET_NAME, foreign), EFAULT);
	FAILS(RAW(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, foreign), EFAULT);
	FAILS(RAW(SYS_rt_sigprocmask, SIG_BLOCK, foreign, NULL, 8), EFAULT);
	FAILS(RAW(SYS_rt_sigprocmask, SIG_BLOCK, NULL, foreign, 8), EFAULT);
	FAILS(RAW(SYS_rt_sigaction, SIGUSR1, foreign, NULL, 8), EFAULT);
	FAILS(RAW(SYS_rt_sigaction, SIGUSR1, NULL, foreign, 8), EFAULT);
	FAILS(RAW(SYS_sigaltstack, NULL, foreign), EFAULT);
	FAILS(RAW(SYS_futex, foreign, FUTEX_WAKE_PRIVATE, 1), EFAULT);
	FAILS(RAW(SYS_futex, foreign, FUTEX_WAIT_PRIVATE, 0, NULL), EFAULT);
	CHECK(RAW(SYS_futex, own, FUTEX_WAKE_PRIVATE, 1) == 0);
	/* Accepted, and never written to. */
	CHECK(RAW(SYS_set_tid_address, foreign) > 0);
	RAW(SYS_set_robust_list, foreign, 24);
	/* What is public may be written to a file, but not into. */
	CHECK(write(ends[1], (char *)vault_code(), 16) == 16);
	FAILS(RAW(SYS_read, ends[0], vault_code(), 16), EFAULT);
	FAILS(RAW(SYS_uname, pointers), EFAULT);
	FAILS(RAW(SYS_uname, vault_static), EFAULT);
	CHECK(RAW(SYS_clock_gettime, CLOCK_REALTIME, &now) == 0);
	CHECK(RAW(SYS_prctl, PR_SET_NAME, name) == 0);
	close(ends[0]);
	close(ends[1]);
}

static void mappings(char *foreign, int in_arena)
{
	int any = MAP_PRIVATE | MAP_ANONYMOUS;
	FAILS(mmap(foreign, 4096, PROT_READ | PROT_WRITE, any | MAP_FIXED, -1, 0), EPERM);
	FAILS(mmap(foreign, 4096, PROT_READ, any | MAP_FIXED_NOREPLACE, -1, 0), EPERM);
	FAILS(mprotect(foreign, 4096, PROT_READ | PROT_WRITE), EPERM);
	FAILS(mprotect(foreign, 4096, PROT_NONE), EPERM);
	FAILS(munmap(foreign, 4096), EPERM);
	FAILS(mremap(foreign, 4096, 8192, MREMAP_MAYMOVE), EPERM);
	FAILS(madvise(foreign, 4096, MADV_DONTNEED), EPERM);
	/* A hint is only a hint. */
	char *elsewhere = mmap(foreign, 4096, PROT_READ, any, -1, 0);
	CHECK(elsewhere != MAP_FAILED && elsewhere != foreign);
	CHECK(munmap(elsewhere, 4096) == 0);
	char *mine = mmap(NULL, 8192, PROT_READ | PROT_WRITE, any, -1, 0);
	FAILS(mremap(mine, 8192, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, foreign), EINVAL);
	FAILS(RAW(SYS_mincore, foreign, 4096, own), EPERM);
	FAILS(RAW(SYS_msync, foreign, 4096, MS_SYNC), EPERM);
	FAILS(RAW(SYS_mlock, foreign, 4096), EPERM);
	FAILS(RAW(SYS_munlock, foreign, 4096), EPERM);
	CHECK(munmap(mine, 8192) == 0);
	(void)in_arena;
}

static void own_memory(void)
{
	int any = MAP_PRIVATE | MAP_ANONYMOUS, read_write = PROT_READ | PROT_WRITE;
	char *text = (char *)((long)own_memory & -4096), *gate = (char *)((long)vault_static & -4096);
	char *mine = mmap(NULL, 3 * 4096, read_write, any, -1, 0);
	char *frame = (char *)((long)mine & ~((1L << 36) - 1));
	FAILS(mmap(NULL, 4096, PROT_READ | PROT_EXEC, any, -1, 0), EACCES);
	FAILS(mprotect(mine, 4096, PROT_READ | PROT_EXEC), EACCES);
	FAILS(mprotect(mine, 4096, PROT_READ | PROT_GROWSDOWN), EACCES);
	FAILS(mmap(NULL, 4096, PROT_READ, any | MAP_GROWSDOWN, -1, 0), EINVAL);
	/* Own text, gates, own image, own frame. */
	CHECK(mprotect(text, 4096, read_write) == -1);
	CHECK(mmap(text, 4096, read_write, any | MAP_FIXED, -1, 0) == MAP_FAILED);
	CHECK(munmap(text, 4096) == -1 && madvise(text, 4096, MADV_DONTNEED) == -1);
	CHECK(mremap(text, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED);
	FAILS(mprotect(gate, 4096, read_write), EPERM);
	FAILS(mmap(gate, 4096, read_write, any | MAP_FIXED, -1, 0), EPERM);
	FAILS(munmap(gate, 4096), EPERM);
	FAILS(mremap(gate, 4096, 8192, MREMAP_MAYMOVE), EPERM);
	FAILS(munmap(own, 4096), EPERM);
	FAILS(mmap(own, 4096, read_write, any | MAP_FIXED, -1, 0), EPERM);
	FAILS(mprotect(frame, 4096, PROT_READ), EPERM);
	FAILS(munmap(frame, 4096), EPERM);
	FAILS(madvise(frame, 4096, MADV_DONTNEED), EPERM);
	FAILS(mmap(frame, 4096, read_write, any | MAP_FIXED, -1, 0), EPERM);
	/* The monitor and the thread block. */
	for (char *at = (char *)0x1000000; at < (char *)0x1008000; at += 4096) {
		FAILS(mprotect(at, 4096, read_write), EPERM);
		FAILS(munmap(at, 4096), EPERM);
	}
	FAILS(mprotect((char *)0x2000000, 4096, read_write), EPERM);
	/* The first page, which GS would reach if it were 0. */
	FAILS(mmap(NULL, 4096, read_write, any | MAP_FIXED, -1, 0), EPERM);
	FAILS(mmap((void *)0x7fffffffe000, 4096, read_write, any | MAP_FIXED, -1, 0), EPERM);
	FAILS(mprotect((char *)-4096, 8192, read_write), EINVAL);
	FAILS(munmap(mine, (size_t)1 << 40), EINVAL);
	/* brk stays where it is if it is asked for too much. */
	long end = RAW(SYS_brk, 0);
	CHECK(RAW(SYS_brk, vault_static()) == end && RAW(SYS_brk, end + (1L << 40)) == end);
	CHECK(RAW(SYS_brk, end + 8192) == end + 8192 && RAW(SYS_brk, end) == end);
	/* Its own it may change. */
	CHECK(mprotect(own, 4096, PROT_READ) == 0 && mprotect(own, 4096, read_write) == 0);
	mine[4096] = 'm';
	CHECK(mprotect(mine, 4096, PROT_NONE) == 0 && mine[4096] == 'm');
	CHECK(munmap(mine, 4096) == 0 && munmap(mine + 8192, 4096) == 0 && mine[4096] == 'm');
	CHECK(madvise(mine + 4096, 4096, MADV_DONTNEED) == 0 && mine[4096] == 0);
	CHECK(munmap(mine + 4096, 4096) == 0);
}

static void refused(void)
{
	static const short numbers[] = { SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_userfaultfd,
		SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_setup, SYS_personality,
		SYS_modify_ldt, SYS_pkey_alloc, SYS_pkey_free, SYS_pkey_mprotect, SYS_fork,
		SYS_vfork, SYS_execve, SYS_execveat, SYS_seccomp, SYS_setns, SYS_unshare, SYS_mount, SYS_bpf,
		SYS_perf_event_open, SYS_kcmp, SYS_pidfd_open, SYS_pidfd_getfd, SYS_pidfd_send_signal, SYS_kill,
		SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_shmat, SYS_remap_file_pages,
		SYS_vmsplice, SYS_mbind, SYS_move_pages, SYS_migrate_pages, SYS_process_madvise, SYS_mlockall,
		SYS_iopl, SYS_ioperm, SYS_keyctl, SYS_get_robust_list, SYS_restart_syscall, SYS_kexec_load,
		SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_fanotify_init, SYS_timer_create, SYS_setitimer,
		SYS_alarm, SYS_membarrier, SYS_socket, SYS_chroot, SYS_pivot_root, SYS_setuid, SYS_memfd_create,
		SYS_set_thread_area, SYS_acct, SYS_swapon, SYS_reboot, SYS_init_module, SYS_mknod, SYS_wait4,
		SYS_sigaltstack + 10000, 447, 453, 462, 500, 511, 512 };
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		errno = 0;
		long result = RAW(numbers[i], 0, 0, 0, 0, 0, 0);
		if (result != -1 || errno != EPERM)
			printf("system call %d: %ld %s\n", numbers[i], result, strerror(errno));
	}
	FAILS(RAW(-1), EPERM);
	FAILS(RAW(0x40000000 | SYS_read, 0, own, 1), EPERM);
	FAILS(RAW(SYS_clone, SIGCHLD, 0, 0, 0, 0), EPERM);
	FAILS(RAW(SYS_clone, CLONE_VM | SIGSYS, own + 4096, 0, 0, 0), EPERM);
	FAILS(RAW(SYS_clone3, own, 88), ENOSYS);
	FAILS(RAW(SYS_rseq, own, 32, 0, 0), ENOSYS);
	FAILS(RAW(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, own), EINVAL);
	FAILS(RAW(SYS_arch_prctl, 0x1002 /* ARCH_SET_FS */, 1L << 63), EPERM);
	static const short options[] = { PR_SET_SYSCALL_USER_DISPATCH, PR_SET_DUMPABLE, PR_SET_MM, PR_SET_SECCOMP,
		PR_SET_PTRACER, PR_SET_TSC, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, PR_SET_VMA & 0x7fff };
	for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
		FAILS(RAW(SYS_prctl, options[i], 0, 0, 0, 0), EPERM);
	FAILS(RAW(SYS_tgkill, getppid(), getppid(), SIGABRT), EPERM);
	FAILS(RAW(SYS_tkill, getppid(), SIGABRT), ESRCH);
	FAILS(RAW(SYS_kill, getppid(), 0), EPERM);
	FAILS(RAW(SYS_kill, 0, 0), EPERM);
	FAILS(RAW(SYS_kill, -1, 0), EPERM);
	/* A dispatch or a fault that nobody raised. */
	siginfo_t forged = { .si_signo = SIGSYS, .si_code = 2 /* SYS_USER_DISPATCH */ };
	FAILS(RAW(SYS_rt_sigqueueinfo, getpid(), SIGSYS, &forged), EPERM);
	FAILS(RAW(SYS_rt_tgsigqueueinfo, getpid(), RAW(SYS_gettid), SIGSYS, &forged), EPERM);
	forged.si_code = SI_TKILL;
	FAILS(RAW(SYS_rt_sigqueueinfo, getpid(), SIGSYS, &forged), EPERM);
	forged.si_code = SI_QUEUE;
	FAILS(RAW(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &forged), EPERM);
	FAILS(RAW(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, vault_static()), EFAULT);
	struct rlimit limit = { 0, 0 };
	FAILS(RAW(SYS_prlimit64, 0, RLIMIT_AS, &limit, NULL), EPERM);
	FAILS(RAW(SYS_prlimit64, 1, RLIMIT_AS, NULL, &limit), EPERM);
	FAILS(RAW(SYS_fcntl, 0, F_SETOWN, getpid()), EPERM);
	FAILS(RAW(SYS_fcntl, 0, F_SETSIG, SIGSYS), EPERM);
	FAILS(RAW(SYS_fcntl, 0, F_NOTIFY, 1), EPERM);
	FAILS(RAW(SYS_ioctl, 0, TIOCSTI, "x"), EPERM);
	/* A futex of two addresses could requeue to a foreign one, or write it. */
	FAILS(RAW(SYS_futex, own, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, vault_static(), 0), EFAULT);
	FAILS(RAW(SYS_futex, own, FUTEX_REQUEUE_PRIVATE, 1, 1, vault_static(), 0), EFAULT);
	FAILS(RAW(SYS_futex, vault_static(), FUTEX_REQUEUE_PRIVATE, 1, 1, own, 0), EFAULT);
	FAILS(RAW(SYS_futex, own, FUTEX_WAKE_OP_PRIVATE, 1, 1, vault_static(), 0), EFAULT);
	FAILS(RAW(SYS_futex, own, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0, 0), ENOSYS);
	sigset_t all;
	sigfillset(&all);
	CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 1 }, NULL) == 0);
	sigset_t back;
	CHECK(sigprocmask(SIG_SETMASK, NULL, &back) == 0 && sigismember(&back, SIGUSR1));
}

static void files(void)
{
	char task[100], process[100];
	snprintf(task, sizeof task, "/proc/self/task/%d/mem", (int)RAW(SYS_gettid));
	snprintf(process, sizeof process, "/proc/%d/mem", getpid());
	const char *const paths[] = { "/proc/self/mem", "/proc/thread-self/mem", task, process, "//proc/.//self/../self/mem",
		"/proc/self/root/proc/self/mem", "/proc/self/./maps", "/proc/self/environ", "/proc/self/exe/../maps", "/proc",
		"/proc/self", "/proc/self/fd", "/proc/self/pagemap", "/proc/kcore", "/proc/self/clear_refs",
		"/dev/mem", "/dev/kmem", "/dev/kvm", "/dev/userfaultfd", "/sys", "/sys/kernel", "/dev/vhost-net" };
	for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
		static const int flags[] = { O_RDONLY, O_RDWR, O_WRONLY, O_PATH, O_RDONLY | O_DIRECTORY };
		for (unsigned j = 0; j < sizeof flags / sizeof *flags; j++) {
			int file = open(paths[i], flags[j]);
			if (file != -1)
				printf("opened %s with %x\n", paths[i], flags[j]);
			CHECK(RAW(SYS_open, paths[i], flags[j]) == -1);
			unsigned long how[3] = { flags[j], 0, 0 };
			CHECK(RAW(SYS_openat2, AT_FDCWD, paths[i], how, sizeof how) == -1);
		}
		/* Of the others it would make files. */
		if (strncmp(paths[i], "/proc/", 6) == 0)
			CHECK(RAW(SYS_creat, paths[i], 0600) == -1);
	}
	int root = open("/", O_PATH);
	CHECK(root >= 0);
	CHECK(openat(root, "proc/self/mem", O_RDWR) == -1);
	CHECK(openat(root, "proc", O_PATH) == -1);
	CHECK(symlink("/proc/self/mem", "link") == 0);
	CHECK(open("link", O_RDWR) == -1 && openat(AT_FDCWD, "link", O_RDONLY) == -1);
	CHECK(symlink("/proc/self", "directory") == 0);
	CHECK(open("directory/mem", O_RDWR) == -1);
	char here[1000];
	CHECK(getcwd(here, sizeof here) != NULL);
	if (chdir("/proc/self") == 0) {
		CHECK(open("mem", O_RDWR) == -1);
		CHECK(open(".", O_PATH) == -1);
		CHECK(open("task/../mem", O_RDWR) == -1);
		CHECK(chdir(here) == 0);
	}
	CHECK(open("/dev/null", O_RDWR) >= 0 && open("/dev/zero", O_RDONLY) >= 0);
	/* Ordinary files work. */
	int file = open("file", O_RDWR | O_CREAT, 0600);
	CHECK(file >= 0 && write(file, "content", 7) == 7);
	char *mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	CHECK(mapped != MAP_FAILED && memcmp(mapped, "content", 7) == 0);
	FAILS(mprotect(mapped, 4096, PROT_READ | PROT_EXEC), EACCES);
	CHECK(munmap(mapped, 4096) == 0);
	CHECK(pread(file, own, 3, 4) == 3 && memcmp(own, "ent", 3) == 0);
	FAILS(pread(file, (char *)vault_static(), 3, 0), EFAULT);
	FAILS(mmap((char *)vault_static(), 4096, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0), EPERM);
	CHECK(close(file) == 0);
}

int main(void)
{
	char *in_image = (char *)vault_static(), *in_arena = (char *)vault_heap();
	pointers(in_image);
	pointers(in_arena);
	mappings(in_image, 0);
	mappings(in_arena, 1);
	own_memory();
	refused();
	files();
	CHECK(vault_intact());
	puts("done");
}
