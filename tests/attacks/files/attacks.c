/* What an attacker in the library tries. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "shared.h"

int try_sockets(const char *name);

/* Says what came of it. A descriptor of `outside/secret` is read. */
static int result(int answer, const char *otherwise)
{
	char bytes[7] = "";
	if (answer == -1)
		printf("refused %s\n", strerrorname_np(errno));
	else if (otherwise != NULL)
		puts(otherwise);
	else if (read(answer, bytes, 6) >= 0)
		printf("read %s\n", bytes);
	return 0;
}

static int read_secret(const char *path) { return result(open(path, O_RDONLY), NULL); }

/* Reads `path` if what should make it lead to the secret has worked. */
static int read_after(int made, const char *path)
{
	return made == -1 ? result(-1, NULL) : read_secret(path);
}

struct how { unsigned long flags, mode, resolve; };

/* Another thread lets `writable/here` be by turns a folder and a link to `outside`. */
static void *swap(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED))
		renameat2(AT_FDCWD, "writable/here", AT_FDCWD, "writable/there", RENAME_EXCHANGE);
	return NULL;
}

static int race_link(void)
{
	static int stop;
	mkdir("writable/here", 0755);
	close(creat("writable/here/secret", 0600));
	symlink("../outside", "writable/there");
	pthread_t thread;
	pthread_create(&thread, NULL, swap, &stop);
	int found = -1, error = 0;
	char bytes[7] = "";
	for (int i = 0; i < 4000 && found == -1; i++) {
		int file = open("writable/here/secret", O_RDONLY);
		if (file == -1)
			error = errno == EACCES ? EACCES : error;
		else if (read(file, bytes, 6) == 6)
			found = lseek(file, 0, SEEK_SET) == 0 ? file : -1;
		else
			close(file);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	errno = error;
	return result(found, NULL);
}

/* Another thread puts the secret's descriptor in the place of the one that a call
 * judges meanwhile. */
struct substitution { int secret, number, stop; };

static void *substitute(void *argument)
{
	struct substitution *all = argument;
	for (unsigned i = 0; !__atomic_load_n(&all->stop, __ATOMIC_RELAXED); i++) {
		dup2(all->secret, all->number);
		/* Neither always too early nor always too late. */
		for (volatile unsigned wait = i * 7919 % 20000; wait > 0; wait--)
			;
	}
	return NULL;
}

static int race_descriptor(int secret)
{
	/* The first that leads to the folder of descriptors is the monitor's. */
	struct substitution all = { secret, secret, 0 };
	char link[64], place[64] = "";
	while (all.number < 1024 && strncmp(place, "/proc/", 6) != 0) {
		sprintf(link, "/proc/self/fd/%d", ++all.number);
		readlink(link, place, sizeof place);
	}
	pthread_t thread;
	pthread_create(&thread, NULL, substitute, &all);
	int found = -1;
	char bytes[7] = "";
	for (int i = 0; i < 10000 && found == -1; i++) {
		int file = open("readable/file", O_RDONLY);
		if (file >= 0 && read(file, bytes, 6) == 6 && memcmp(bytes, "secret", 6) == 0)
			found = lseek(file, 0, SEEK_SET) == 0 ? file : -1;
		else if (file >= 0)
			close(file);
	}
	__atomic_store_n(&all.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	errno = EACCES;
	return result(found, NULL);
}

static int reading(const char *name, struct open open_)
{
	char bytes[PATH_MAX];
	if (strcmp(name, "path") == 0)
		return read_secret("outside/secret");
	if (strcmp(name, "absolute") == 0) {
		if (getcwd(bytes, sizeof bytes - 20) == NULL)
			return 1;
		return read_secret(strcat(bytes, "/outside/secret"));
	}
	if (strcmp(name, "dots") == 0)
		return read_secret("readable/folder/../../outside/secret");
	if (strcmp(name, "link") == 0)
		return read_after(symlink("../outside/secret", "writable/link"), "writable/link");
	if (strcmp(name, "link-to-folder") == 0)
		return read_after(symlink("../outside", "writable/link"), "writable/link/secret");
	if (strcmp(name, "folder") == 0)
		return result(openat(open_.folder, "secret", O_RDONLY), NULL);
	if (strcmp(name, "folder-path") == 0)
		return result(openat(open_.folder_path, "secret", O_RDONLY), NULL);
	if (strcmp(name, "parent") == 0)
		return result(openat(open("readable/..", O_PATH), "outside/secret", O_RDONLY), NULL);
	if (strcmp(name, "chdir") == 0)
		return read_after(chdir("readable/.."), "outside/secret");
	if (strcmp(name, "fchdir") == 0)
		return read_after(fchdir(open_.folder), "secret");
	if (strcmp(name, "descriptor") == 0) {
		sprintf(bytes, "/proc/self/fd/%d", open_.secret_path);
		return read_secret(bytes);
	}
	if (strcmp(name, "root-of-process") == 0)
		return read_secret("/proc/self/cwd/outside/secret");
	if (strcmp(name, "in-root") == 0) {
		struct how how = { O_RDONLY, 0, 16 };
		return result(syscall(SYS_openat2, open_.folder, "/secret", &how, sizeof how), NULL);
	}
	if (strcmp(name, "beneath") == 0) {
		struct how how = { O_RDONLY, 0, 8 };
		return result(syscall(SYS_openat2, open_.folder, "secret", &how, sizeof how), NULL);
	}
	if (strcmp(name, "hard-link") == 0)
		return read_after(link("outside/secret", "writable/secret"), "writable/secret");
	if (strcmp(name, "rename") == 0)
		return read_after(rename("outside/secret", "writable/secret"), "writable/secret");
	if (strcmp(name, "rename-folder") == 0)
		return read_after(rename("outside", "writable/outside"), "writable/outside/secret");
	if (strcmp(name, "exchange") == 0) {
		mkdir("writable/mine", 0755);
		int made = renameat2(AT_FDCWD, "writable/mine", open_.folder, "../outside", RENAME_EXCHANGE);
		return read_after(made, "writable/mine/secret");
	}
	if (strcmp(name, "race-link") == 0)
		return race_link();
	if (strcmp(name, "race-descriptor") == 0)
		return race_descriptor(open_.secret_path);
	return -1;
}

static int looking(const char *name)
{
	struct stat status;
	struct statx more;
	char bytes[64];
	const char *exists = "it exists";
	if (strcmp(name, "list") == 0) {
		DIR *folder = opendir("outside");
		if (folder == NULL)
			return result(-1, NULL);
		for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
			if (strcmp(entry->d_name, "secret") == 0)
				puts("found secret");
		return closedir(folder);
	}
	if (strcmp(name, "status") == 0)
		return result(stat("outside/secret", &status), exists);
	if (strcmp(name, "statx") == 0)
		return result(statx(AT_FDCWD, "outside/secret", 0, STATX_SIZE, &more), exists);
	if (strcmp(name, "access") == 0)
		return result(access("outside/secret", F_OK), exists);
	if (strcmp(name, "readlink") == 0)
		return result(readlink("outside/link", bytes, sizeof bytes), exists);
	/* What does not exist answers as what does. */
	if (strcmp(name, "missing") == 0)
		return result(access("outside/missing/further", F_OK), exists);
	return -1;
}

static int changing(const char *name)
{
	const char *changed = "changed", *created = "created", *file = "readable/file";
	char bytes[64];
	if (strcmp(name, "write") == 0)
		return result(open(file, O_WRONLY), changed);
	if (strcmp(name, "truncate") == 0)
		return result(truncate(file, 0), changed);
	if (strcmp(name, "truncate-open") == 0)
		return result(open(file, O_RDONLY | O_TRUNC), changed);
	if (strcmp(name, "write-linked") == 0)
		return result(link(file, "writable/file") == -1 ? -1 : open("writable/file", O_RDWR), changed);
	if (strcmp(name, "link-descriptor") == 0) {
		sprintf(bytes, "/proc/self/fd/%d", open(file, O_RDONLY));
		int made = linkat(AT_FDCWD, bytes, AT_FDCWD, "writable/file", AT_SYMLINK_FOLLOW);
		if (made == -1 && errno == ELOOP)
			made = linkat(open(file, O_RDONLY), "", AT_FDCWD, "writable/file", AT_EMPTY_PATH);
		return result(made, changed);
	}
	if (strcmp(name, "remove") == 0)
		return result(unlink(file), changed);
	if (strcmp(name, "replace") == 0) {
		close(creat("writable/mine", 0600));
		return result(rename("writable/mine", file), changed);
	}
	if (strcmp(name, "mode") == 0)
		return result(chmod(file, 0777), changed);
	if (strcmp(name, "mode-of-descriptor") == 0)
		return result(fchmod(open(file, O_RDONLY), 0777), changed);
	if (strcmp(name, "times") == 0)
		return result(utimensat(AT_FDCWD, file, NULL, 0), changed);
	if (strcmp(name, "times-of-descriptor") == 0)
		return result(futimens(open(file, O_RDONLY), NULL), changed);
	if (strcmp(name, "create") == 0)
		return result(creat("outside/new", 0600), created);
	if (strcmp(name, "create-through-link") == 0)
		return result(symlink("../outside/new", "writable/link") == -1 ? -1 :
			open("writable/link", O_WRONLY | O_CREAT, 0600), created);
	if (strcmp(name, "create-unnamed") == 0)
		return result(open("outside", O_TMPFILE | O_RDWR, 0600), created);
	if (strcmp(name, "folder-outside") == 0)
		return result(mkdir("outside/new", 0755), created);
	if (strcmp(name, "link-outside") == 0)
		return result(symlink("secret", "outside/new"), created);
	return -1;
}

int lib_try(const char *name, struct open open)
{
	int done = reading(name, open);
	if (done == -1)
		done = looking(name);
	if (done == -1)
		done = changing(name);
	if (done == -1)
		done = try_sockets(name);
	return done;
}
