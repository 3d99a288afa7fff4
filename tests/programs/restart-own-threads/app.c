//! A library with threads of its own that fails: in a call, on one of its threads while a call waits
//! for that, while nobody is in a call, and in what another cubicle does at a thread's end (`destructor`;
//! `late`: that calls a lib which is new by then). Its threads end with it, those of the program go on, and
//! nothing is left behind.
//@ restarts: any
//@ run: call
//@ stdout: lib failed 100 times, heard from its threads, nothing left
//@ run: thread
//@ stdout: lib failed 100 times, heard from its threads, nothing left
//@ run: later
//@ stdout: lib failed 100 times, heard from its threads, nothing left
//@ run: destructor
//@ stdout: lib failed 100 times, heard from its threads, nothing left
//@ run: late
//@ stdout: lib failed 100 times, heard from its threads, nothing left
//@ run: none
//@ restarts: 0
//@ stdout: lib failed 0 times, heard from its threads, nothing left

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "lib.h"

enum { ROUNDS = 100 };

static int heard;

void app_hears(void)
{
	__atomic_add_fetch(&heard, 1, __ATOMIC_SEQ_CST);
	usleep(1000);
}

/* Bytes that the process has. */
static long mapped(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
	fclose(file);
	return pages * 4096;
}

static void *double_it(void *nothing)
{
	long doubled;
	while ((doubled = lib_double(4)) == -1)
		sched_yield();
	CHECK(doubled == 8);
	return nothing;
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	long failed = 0, before = 0;
	for (int round = 0; round < ROUNDS; round++) {
		if (round == ROUNDS / 4)
			before = mapped();
		long result;
		while ((result = lib_starts()) == -1)
			sched_yield();
		CHECK(result == 0);
		if (strcmp(how, "call") == 0) {
			failed += lib_fails() == -1;
		} else if (strcmp(how, "thread") == 0) {
			failed += lib_thread_fails() == -1;
		} else if (strcmp(how, "later") == 0) {
			CHECK(lib_thread_fails_later() == 0);
			/* Until it fails, or has started anew. */
			for (lib_counts(); lib_counts() > 1;)
				usleep(1000);
			failed++;
		} else if (strcmp(how, "destructor") == 0 || strcmp(how, "late") == 0) {
			/* Threads of app's begin with the numbers of those that have ended. */
			lib_counts();
			/* The call itself may find out. */
			result = lib_thread_leaves(strcmp(how, "late") == 0);
			CHECK(result == 0 || result == -1);
			while (lib_counts() > 1)
				usleep(1000);
			pthread_t thread;
			CHECK(pthread_create(&thread, NULL, double_it, NULL) == 0 && pthread_join(thread, NULL) == 0);
			failed++;
		} else {
			CHECK(lib_ends_threads() == 0);
		}
	}
	while ((count = (int)lib_double(21)) == -1)
		sched_yield();
	CHECK(count == 42);
	printf("lib failed %ld times, %s, ", failed, heard > 0 ? "heard from its threads" : "heard nothing");
	long more = mapped() - before;
	if (more < 4 << 20)
		puts("nothing left");
	else
		printf("%ld bytes left\n", more);
	return 0;
}
