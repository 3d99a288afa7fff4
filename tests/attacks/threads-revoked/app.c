//! A window is revoked on one thread while the monitor reads through it for
//! another: what its owner writes afterwards is not read.
//@ run: 100
//@ only: pagetable
//@ stdout: only what was open
//@ without: steady
//@ then: stdout: the secret
//@ run: 8
//@ only: pku
//@ stdout: only what was open

#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"
#include "vault.h"

/* More readers than processors: one that is put aside between the monitor's look at
 * the window and its copy is what the attack waits for. */
enum { SIG_SETMASK_ = 2, ROUNDS = 1000, READERS = 8 };

static volatile int done, seen, found;
static long page;

static void *reads(void *nothing)
{
	while (!done && !seen) {
		unsigned long mask = 0;
		if (syscall(SYS_rt_sigprocmask, SIG_SETMASK_, page, NULL, 8) != 0)
			continue;
		found = 1;
		CHECK(syscall(SYS_rt_sigprocmask, SIG_SETMASK_, NULL, &mask, 8) == 0);
		if (mask == SECRET)
			seen = 1;
	}
	return nothing;
}

int main(int count, char **arguments)
{
	int most = count > 1 ? atoi(arguments[1]) : 0;
	pthread_t threads[READERS];
	page = vault_open();
	CHECK(page != 0);
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_create(&threads[i], NULL, reads, NULL) == 0);
	for (int i = 0; i < most && !seen; i++)
		vault_works(ROUNDS);
	done = 1;
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(found);
	puts(seen ? "the secret" : "only what was open");
}
