/* What the library may do, as any program would do it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utime.h>
#include "check.h"
#include "shared.h"

#define FAILS(call, number) CHECK((errno = 0, (call) == -1) && errno == (number))

static void reading(void)
{
	char bytes[64] = "";
	int file = open("readable/file", O_RDONLY);
	CHECK(file >= 0 && read(file, bytes, sizeof bytes) == 8 && memcmp(bytes, "readable", 8) == 0);
	struct stat one, other;
	CHECK(fstat(file, &one) == 0 && stat("readable/file", &other) == 0 && one.st_ino == other.st_ino);
	CHECK(fstatat(file, "", &other, AT_EMPTY_PATH) == 0 && one.st_ino == other.st_ino);
	CHECK(access("readable/file", R_OK) == 0);
	struct statx more;
	CHECK(statx(AT_FDCWD, "readable/file", 0, STATX_INO, &more) == 0 && more.stx_ino == one.st_ino);
	struct statfs system;
	CHECK(statfs("readable", &system) == 0);
	CHECK(close(file) == 0);
	DIR *folder = opendir("readable");
	CHECK(folder != NULL && readdir(folder) != NULL && closedir(folder) == 0);
	int base = open("readable", O_RDONLY | O_DIRECTORY);
	CHECK((file = openat(base, "file", O_RDONLY)) >= 0 && close(file) == 0);
	CHECK((file = openat(base, "folder/../file", O_RDONLY)) >= 0 && close(file) == 0);
	CHECK((file = openat(base, "file", O_PATH)) >= 0 && close(file) == 0 && close(base) == 0);
	/* Only what is there is known to be missing. */
	FAILS(open("readable/nothing", O_RDONLY), ENOENT);
	FAILS(open("readable/nothing/further", O_RDONLY), ENOENT);
	FAILS(open("readable/file/further", O_RDONLY), ENOTDIR);
	FAILS(open("", O_RDONLY), ENOENT);
	FAILS(open((char *)8, O_RDONLY), EFAULT);
	/* What leads there can be looked at, as realpath does. */
	char place[PATH_MAX];
	CHECK(realpath("readable/file", place) != NULL);
	CHECK((file = open(place, O_RDONLY)) >= 0 && close(file) == 0);
	CHECK(stat("/", &one) == 0 && lstat(".", &one) == 0);
	FAILS(open("/", O_RDONLY), EACCES);
	/* What is nobody's. */
	CHECK((file = open("/dev/null", O_RDWR)) >= 0 && close(file) == 0);
	CHECK((file = open("/dev/urandom", O_RDONLY)) >= 0 && read(file, bytes, 8) == 8 && close(file) == 0);
	CHECK((file = open("/proc/meminfo", O_RDONLY)) >= 0 && read(file, bytes, 9) == 9 && close(file) == 0);
	CHECK(memcmp(bytes, "MemTotal:", 9) == 0);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) > 0);
}

static void writing(void)
{
	struct stat status;
	char bytes[64] = "";
	int file = open("writable/file", O_RDWR | O_CREAT, 0640);
	CHECK(file >= 0 && write(file, "written", 7) == 7 && pread(file, bytes, 8, 0) == 7);
	CHECK(fstat(file, &status) == 0 && (status.st_mode & 0777) == 0640);
	CHECK(fchmod(file, 0600) == 0 && ftruncate(file, 3) == 0 && flock(file, LOCK_EX) == 0);
	struct timespec times[2] = { { 1, 0 }, { 2, 3 } };
	CHECK(futimens(file, times) == 0 && fstat(file, &status) == 0 && status.st_mtim.tv_nsec == 3);
	CHECK((status.st_mode & 0777) == 0600 && status.st_size == 3 && close(file) == 0);
	FAILS(open("writable/file", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK((file = open("writable/file", O_WRONLY | O_CREAT | O_APPEND, 0600)) >= 0);
	CHECK(write(file, "more", 4) == 4 && lseek(file, 0, SEEK_CUR) == 7 && close(file) == 0);
	CHECK((file = creat("writable/file", 0600)) >= 0 && fstat(file, &status) == 0 && status.st_size == 0);
	CHECK(close(file) == 0 && truncate("writable/file", 9) == 0);
	CHECK(chmod("writable/file", 0644) == 0 && chown("writable/file", -1, -1) == 0);
	CHECK(lchown("writable/file", -1, -1) == 0 && fchmodat(AT_FDCWD, "writable/file", 0640, 0) == 0);
	CHECK(utime("writable/file", &(struct utimbuf){ 5, 6 }) == 0 && stat("writable/file", &status) == 0);
	CHECK(status.st_mtime == 6 && utimes("writable/file", (struct timeval[]){ { 7, 8 }, { 9, 10 } }) == 0);
	CHECK(stat("writable/file", &status) == 0 && status.st_mtime == 9 && status.st_mtim.tv_nsec == 10000);
	CHECK(utimensat(AT_FDCWD, "writable/file", NULL, 0) == 0);
	CHECK(mkdir("writable/folder", 0755) == 0 && mkdir("writable/folder/inner/", 0755) == 0);
	FAILS(mkdir("writable/folder", 0755), EEXIST);
	CHECK(rename("writable/file", "writable/folder/renamed") == 0);
	CHECK(link("writable/folder/renamed", "writable/folder/linked") == 0);
	CHECK(stat("writable/folder/linked", &status) == 0 && status.st_nlink == 2);
	CHECK(symlink("folder/linked", "writable/symbolic") == 0);
	CHECK(readlink("writable/symbolic", bytes, sizeof bytes) == 13 && memcmp(bytes, "folder/linked", 13) == 0);
	CHECK(lstat("writable/symbolic", &status) == 0 && S_ISLNK(status.st_mode));
	CHECK(stat("writable/symbolic", &status) == 0 && S_ISREG(status.st_mode));
	CHECK((file = open("writable/symbolic", O_RDWR | O_CREAT, 0600)) >= 0 && close(file) == 0);
	FAILS(open("writable/symbolic", O_RDWR | O_NOFOLLOW), ELOOP);
	CHECK((file = open("writable/symbolic", O_PATH | O_NOFOLLOW)) >= 0 && close(file) == 0);
	/* A link that leads nowhere: the file is created where it leads. */
	CHECK(symlink("folder/made", "writable/dangling") == 0);
	CHECK((file = open("writable/dangling", O_RDWR | O_CREAT, 0600)) >= 0 && close(file) == 0);
	CHECK(access("writable/folder/made", W_OK) == 0);
	FAILS(open("writable/dangling", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK(renameat2(AT_FDCWD, "writable/dangling", AT_FDCWD, "writable/symbolic", RENAME_EXCHANGE) == 0);
	FAILS(renameat2(AT_FDCWD, "writable/dangling", AT_FDCWD, "writable/symbolic", RENAME_NOREPLACE), EEXIST);
	CHECK(unlink("writable/dangling") == 0 && unlink("writable/symbolic") == 0);
	FAILS(rmdir("writable/folder"), ENOTEMPTY);
	FAILS(unlink("writable/folder/inner"), EISDIR);
	CHECK(rmdir("writable/folder/inner/") == 0);
	/* A file without a name. */
	if ((file = open("writable", O_TMPFILE | O_RDWR, 0600)) >= 0)
		CHECK(write(file, "x", 1) == 1 && close(file) == 0);
	else
		CHECK(errno == EOPNOTSUPP);
	/* From one side to the other. */
	CHECK((file = open("writable/folder/made", O_RDWR)) >= 0);
	char *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(ftruncate(file, 4096) == 0 && mapped != MAP_FAILED && (mapped[0] = 'm') == 'm');
	CHECK(pread(file, bytes, 1, 0) == 1 && bytes[0] == 'm' && munmap(mapped, 4096) == 0 && close(file) == 0);
	struct { unsigned long flags, mode, resolve; } how = { O_RDONLY, 0, 8 };
	int base = open("writable", O_PATH);
	CHECK((file = syscall(SYS_openat2, base, "folder/made", &how, sizeof how)) >= 0 && close(file) == 0);
	FAILS(syscall(SYS_openat2, base, "../writable/folder/made", &how, sizeof how), EXDEV);
	how = (typeof(how)){ O_RDWR | O_CREAT, 0600, 8 };
	CHECK((file = syscall(SYS_openat2, base, "folder/beneath", &how, sizeof how)) >= 0 && close(file) == 0);
	FAILS(syscall(SYS_openat2, base, "folder/beneath", &how, 8), EINVAL);
	char template[] = "writable/folder/XXXXXX";
	CHECK((file = mkstemp(template)) >= 0 && close(file) == 0 && unlink(template) == 0);
	CHECK(chdir("writable/folder") == 0 && access("made", R_OK) == 0 && chdir("../..") == 0);
}

static void sockets(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "writable/stream" };
	int stream = socket(AF_UNIX, SOCK_STREAM, 0), datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(connect(stream, (struct sockaddr *)&address, sizeof address) == 0 && close(stream) == 0);
	strcpy(address.sun_path, "writable/datagram");
	CHECK(sendto(datagram, "x", 1, 0, (struct sockaddr *)&address, sizeof address) == 1);
	struct iovec piece = { "xy", 2 };
	struct msghdr message = { &address, sizeof address, &piece, 1, NULL, 0, 0 };
	CHECK(sendmsg(datagram, &message, 0) == 2);
	struct mmsghdr many[2] = { { message, 9 }, { message, 9 } };
	CHECK(sendmmsg(datagram, many, 1, 0) == 1 && many[0].msg_len == 2 && many[1].msg_len == 9);
	strcpy(address.sun_path, "writable/bound");
	CHECK(bind(datagram, (struct sockaddr *)&address, sizeof address) == 0 && access("writable/bound", F_OK) == 0);
	CHECK(close(datagram) == 0);
	/* Names that are no files, and pairs. */
	int pair[2];
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 && send(pair[0], "x", 1, 0) == 1);
	message.msg_name = NULL;
	message.msg_namelen = 0;
	CHECK(sendmsg(pair[0], &message, 0) == 2 && close(pair[0]) == 0 && close(pair[1]) == 0);
}

int lib_use(void)
{
	reading();
	writing();
	sockets();
	puts("used");
	return 0;
}
