//! Keys of a terminal: the program works in lib, and calls back.
//@ run: app
//@ typed: ^C
//@ stdout: app handled 2
//@ run: lib
//@ typed: ^C
//@ stdout: lib handled 2
//@ run: app
//@ typed: ^\
//@ stdout: app handled 3
//@ run: size
//@ typed: size
//@ stdout: 11 rows, 22 columns
//@ run: wait
//@ typed: ^C
//@ stdout: app handled 2, waiting was interrupted
//@ run: default
//@ typed: ^C
//@ signal: 2
//@ run: default
//@ typed: ^\
//@ signal: 3

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "check.h"

int lib_installs(void);
int lib_handled(void);
void lib_works(void);

static volatile sig_atomic_t handled;

int app_goes_on(void) { return !handled && !lib_handled(); }

static void handle(int signal) { handled = signal; }

static void ready(void) { CHECK(write(0, "ready\n", 6) == 6); }

int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";
	struct sigaction action = {.sa_handler = handle};
	if (strcmp(what, "lib") == 0)
		lib_installs();
	else if (strcmp(what, "default") == 0) {
		/* Who started this may have had them ignored, as a shell does in the background. */
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
	} else {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGQUIT, &action, NULL);
		sigaction(SIGWINCH, &action, NULL);
	}
	sigset_t none, one;
	sigemptyset(&none);
	sigemptyset(&one);
	sigaddset(&one, SIGINT);
	if (strcmp(what, "wait") == 0)
		sigprocmask(SIG_BLOCK, &one, NULL);
	ready();
	if (strcmp(what, "wait") == 0) {
		struct pollfd input = {0, POLLIN, 0};
		CHECK(ppoll(&input, 1, NULL, &none) == -1 && errno == EINTR);
		printf("app handled %d, waiting was interrupted\n", handled);
		return 0;
	}
	lib_works();
	if (strcmp(what, "size") == 0) {
		struct winsize size;
		CHECK(handled == SIGWINCH && ioctl(0, TIOCGWINSZ, &size) == 0);
		printf("%d rows, %d columns\n", size.ws_row, size.ws_col);
	} else if (strcmp(what, "lib") == 0)
		printf("lib handled %d\n", lib_handled());
	else
		printf("app handled %d\n", handled);
}
