/* Starts a program in the foreground of a terminal of its own and types when it is ready.
 *
 *     terminal KEY PROGRAM ARGUMENT...
 *
 * KEY is `^C`, `^\` or another letter with control, or `size`: the terminal gets another one. The
 * program is ready when it has written a line to the terminal, its standard input.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

int main(int argc, char **arguments)
{
	if (argc < 3)
		return 2;
	if (access("/dev/pts/ptmx", F_OK)) {
		/* The emulated machine has none yet. */
		mkdir("/dev/pts", 0755);
		if (mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666"))
			fail("/dev/pts");
	}
	int master = open("/dev/pts/ptmx", O_RDWR | O_CLOEXEC);
	if (master < 0 || unlockpt(master))
		fail("/dev/pts/ptmx");
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR);
	if (slave < 0)
		fail("TIOCGPTPEER");
	pid_t child = fork();
	if (child == 0) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, 0);
		close(slave);
		execv(arguments[2], arguments + 2);
		_exit(127);
	}
	char byte = 0;
	while (byte != '\n')
		if (read(master, &byte, 1) != 1)
			fail("read");
	if (strcmp(arguments[1], "size") == 0) {
		struct winsize size = {.ws_row = 11, .ws_col = 22};
		ioctl(master, TIOCSWINSZ, &size);
	} else {
		char key = arguments[1][1] & 0x1f;
		if (write(master, &key, 1) != 1)
			fail("write");
	}
	int status;
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	return WEXITSTATUS(status);
}
