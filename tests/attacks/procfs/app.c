//! The memory of the process is a file, too, through which the kernel reads and
//! writes whatever the processor would refuse. Two walls stand before it: the
//! monitor judges what was opened, and Landlock has no rule for it.
//@ run: try self
//@ stdout: refused EACCES
//@ without: procfs
//@ then: stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try self-for-reading
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: intact
//@ run: try number
//@ stdout: refused EACCES
//@ without: procfs
//@ then: stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try task
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try thread
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try dots
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try link
//@ stdout: refused EACCES
//@ without: procfs
//@ then: stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try link-to-folder
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try root-of-process
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try from-root
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try from-folder
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try kept
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try chdir
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try openat2
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try create
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try race-link
//@ stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: read secret
//@ then: stdout: overwritten
//@ run: try status
//@ stdout: refused EACCES
//@ without: procfs
//@ then: stdout: it exists
//@ run: try mode
//@ stdout: refused EACCES
//@ without: procfs
//@ then: stdout: refused EPERM
//@ run: try limit
//@ stdout: refused EACCES
//@ without: procfs
//@ then: stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: it exists
//@ run: try sysfs
//@ stdout: refused EACCES
//@ without: procfs
//@ then: stdout: refused EACCES
//@ without: procfs landlock
//@ then: stdout: it exists
//@ run: open
//@ stdout: open

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

long vault_address(void);
int vault_intact(void);

static int refused(void)
{
	printf("refused %s\n", strerrorname_np(errno));
	return 0;
}

static int use(int memory)
{
	char bytes[7] = "";
	if (memory == -1)
		return refused();
	if (pread(memory, bytes, 6, vault_address()) > 0)
		printf("read %s\n", bytes);
	pwrite(memory, "taken!", 6, vault_address());
	puts(vault_intact() ? "intact" : "overwritten");
	return 0;
}

static int exists(int answer)
{
	if (answer == -1)
		return refused();
	puts("it exists");
	return 0;
}

static int in(const char *format, int number)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, format, number);
	return open(path, O_RDWR);
}

/* Another thread lets `here` be by turns a file and a link to the memory. */
static void *swap(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED))
		renameat2(AT_FDCWD, "here", AT_FDCWD, "there", RENAME_EXCHANGE);
	return NULL;
}

static int race_link(void)
{
	static int stop;
	close(creat("here", 0600));
	symlink("/proc/self/mem", "there");
	pthread_t thread;
	pthread_create(&thread, NULL, swap, &stop);
	int found = -1;
	char bytes[7];
	for (int i = 0; i < 20000 && found == -1; i++) {
		int file = open("here", O_RDWR);
		if (file >= 0 && pread(file, bytes, 6, vault_address()) == 6)
			found = file;
		else if (file >= 0)
			close(file);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	errno = EACCES;
	return found;
}

static int try(const char *how)
{
	struct { unsigned long flags, mode, resolve; } inside = { O_RDWR, 0, 16 };
	struct stat status;
	if (strcmp(how, "self") == 0)
		return use(open("/proc/self/mem", O_RDWR));
	if (strcmp(how, "self-for-reading") == 0)
		return use(open("/proc/self/mem", O_RDONLY));
	if (strcmp(how, "number") == 0)
		return use(in("/proc/%d/mem", getpid()));
	if (strcmp(how, "task") == 0)
		return use(in("/proc/self/task/%d/mem", gettid()));
	if (strcmp(how, "thread") == 0)
		return use(open("/proc/thread-self/mem", O_RDWR));
	if (strcmp(how, "dots") == 0)
		return use(open("//tmp/..//proc/./self/fd/../mem", O_RDWR));
	if (strcmp(how, "link") == 0)
		return symlink("/proc/self/mem", "link") == -1 ? 1 : use(open("link", O_RDWR));
	if (strcmp(how, "link-to-folder") == 0)
		return symlink("/proc/self", "link") == -1 ? 1 : use(open("link/mem", O_RDWR));
	if (strcmp(how, "root-of-process") == 0)
		return use(open("/proc/self/root/proc/self/mem", O_RDWR));
	if (strcmp(how, "from-root") == 0)
		return use(openat(open("/", O_RDONLY), "proc/self/mem", O_RDWR));
	if (strcmp(how, "from-folder") == 0) {
		int folder = open("/proc/self", O_RDONLY | O_DIRECTORY);
		return folder == -1 ? refused() : use(openat(folder, "mem", O_RDWR));
	}
	if (strcmp(how, "kept") == 0) {
		/* A descriptor without rights, opened again through its link. */
		int kept = open("/proc/self/mem", O_PATH);
		return kept == -1 ? refused() : use(in("/proc/self/fd/%d", kept));
	}
	if (strcmp(how, "chdir") == 0)
		return chdir("/proc/self") == -1 ? refused() : use(open("mem", O_RDWR));
	if (strcmp(how, "openat2") == 0)
		return use(syscall(SYS_openat2, open("/", O_PATH), "/proc/self/mem", &inside, sizeof inside));
	if (strcmp(how, "create") == 0)
		return use(open("/proc/self/mem", O_RDWR | O_CREAT, 0600));
	if (strcmp(how, "race-link") == 0)
		return use(race_link());
	/* Calls that return no descriptor. */
	if (strcmp(how, "status") == 0)
		return exists(stat("/proc/self/mem", &status));
	if (strcmp(how, "mode") == 0)
		return exists(chmod("/proc/self/mem", 0777));
	/* Files that change how the kernel treats the process, or the machine. */
	if (strcmp(how, "limit") == 0)
		return exists(open("/proc/self/oom_score_adj", O_RDWR));
	if (strcmp(how, "sysfs") == 0)
		return exists(open("/sys/kernel/profiling", O_RDWR));
	return 1;
}

/* What libcs, std and allocators ask for. */
static int all_open(void)
{
	const char *const files[] = { "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self/status",
		"/proc/self/statm", "/proc/self/cgroup", "/proc/self/cmdline", "/proc/self/limits",
		"/proc/self/mountinfo", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/osrelease",
		"/sys/devices/system/cpu/online", "/sys/devices/system/cpu/possible" };
	char bytes[PATH_MAX];
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int file = open(files[i], O_RDONLY);
		if (file == -1 || read(file, bytes, sizeof bytes) == -1)
			printf("%s: %s\n", files[i], strerrorname_np(errno));
		close(file);
		CHECK(open(files[i], O_RDWR) == -1 && errno == EACCES);
	}
	struct stat status;
	CHECK(readlink("/proc/self/exe", bytes, sizeof bytes) > 0 && bytes[0] == '/');
	CHECK(readlink("/proc/self/fd/0", bytes, sizeof bytes) > 0 && lstat("/proc/self", &status) == 0);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) > 0 && sysconf(_SC_NPROCESSORS_CONF) > 0 && sysconf(_SC_PHYS_PAGES) > 0);
	CHECK(open("/proc", O_RDONLY) == -1 && open("/proc/self", O_PATH) == -1 && open("/proc/self/./maps", O_RDONLY) == -1);
	CHECK(open("/proc/1/status", O_RDONLY) == -1 || getpid() == 1);
	puts("open");
	return 0;
}

int main(int count, char **arguments) { return count > 2 ? try(arguments[2]) : all_open(); }
