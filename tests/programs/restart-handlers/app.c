//! A library whose signal handler fails, with it: whom the signal has interrupted goes on as if the
//! handler had returned, with everything it had in registers, and the library starts anew.
//@ restarts: any
//@ run: idle
//@ stdout: 100 handlers failed, the program went on
//@ run: pending
//@ stdout: 100 handlers failed in a call, which failed when app returned to it
//@ run: calls
//@ stdout: 100 handlers failed inside of what they had called
//@ run: anywhere
//@ stdout: the program computed what it does without signals
//@ run: elsewhere
//@ stdout: 2 handlers failed, the second one installed by another thread
//@ run: held
//@ stdout: a handler of app's runs while lib is not new yet
//@ run: meanwhile
//@ stdout: signals came while the library failed on another thread

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include "check.h"
#include "lib.h"

enum { ROUNDS = 100 };

static int interrupted;
static atomic_int held, handled;

static void interrupt(void)
{
	/* In registers that no call may change, while the handler runs. */
	double sum = 0;
	long i = 0;
	for (; i < 5; i++) {
		sum += (double)i / 2;
		if (i == 3)
			CHECK(raise(SIGURG) == 0);
	}
	CHECK(sum == 5 && i == 5);
	interrupted++;
}

static void wait_while_held(void);

void app_called(void)
{
	wait_while_held();
	interrupt();
}

void app_in_handler(void)
{
	CHECK(lib_fails() == -1);
	interrupted++;
}

static void install(int how)
{
	while (lib_installs(how) != 0)
		sched_yield();
	CHECK(lib_counts() == 1);
}

static void wait_while_held(void)
{
	if (held)
		held = 2;
	while (held)
		usleep(1000);
}

/* A long computation in vector and general registers. */
static double compute(void)
{
	static double values[4096];
	double sum = 0;
	for (int i = 0; i < 4096; i++)
		values[i] = i * 0.5;
	for (int round = 0; round < 200; round++)
		for (int i = 0; i < 4096; i++) {
			values[i] = values[i] * 0.999 + (double)((round ^ i) & 7);
			sum += values[i] * (double)(i & 3);
		}
	return sum;
}

static atomic_int stop;

static void *keep_failing(void *nothing)
{
	while (!stop) {
		lib_installs(FAILS);
		lib_fails();
	}
	return nothing;
}

static void *install_here(void *nothing)
{
	install(FAILS);
	return nothing;
}

static void handle(int signal)
{
	(void)signal;
	handled++;
}

/* lib has called this thread when it fails, and is not new before that returns. */
static void *stay(void *nothing)
{
	held = 1;
	CHECK(lib_calls_app() == -1);
	return nothing;
}

static pthread_t computing;

static void *interrupt_later(void *nothing)
{
	usleep(500);
	CHECK(pthread_kill(computing, SIGURG) == 0);
	return nothing;
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	computing = pthread_self();
	if (strcmp(how, "idle") == 0) {
		for (int i = 0; i < ROUNDS; i++) {
			install(FAILS);
			interrupt();
		}
		CHECK(interrupted == ROUNDS);
		puts("100 handlers failed, the program went on");
	}
	if (strcmp(how, "pending") == 0) {
		for (int i = 0; i < ROUNDS; i++) {
			install(FAILS);
			CHECK(lib_calls_app() == -1);
		}
		CHECK(interrupted == ROUNDS);
		puts("100 handlers failed in a call, which failed when app returned to it");
	}
	if (strcmp(how, "calls") == 0) {
		for (int i = 0; i < ROUNDS; i++) {
			install(CALLS);
			interrupt();
		}
		CHECK(interrupted == 2 * ROUNDS);
		puts("100 handlers failed inside of what they had called");
	}
	if (strcmp(how, "anywhere") == 0) {
		double expected = compute();
		for (int i = 0; i < 30; i++) {
			install(FAILS);
			pthread_t thread;
			CHECK(pthread_create(&thread, NULL, interrupt_later, NULL) == 0);
			CHECK(compute() == expected);
			CHECK(pthread_join(thread, NULL) == 0);
		}
		puts("the program computed what it does without signals");
	}
	if (strcmp(how, "elsewhere") == 0) {
		pthread_t thread;
		for (int i = 0; i < 2; i++) {
			CHECK(pthread_create(&thread, NULL, install_here, NULL) == 0 && pthread_join(thread, NULL) == 0);
			interrupt();
		}
		printf("%d handlers failed, the second one installed by another thread\n", interrupted);
	}
	if (strcmp(how, "held") == 0) {
		pthread_t thread;
		signal(SIGUSR2, handle);
		install(FAILS);
		CHECK(pthread_create(&thread, NULL, stay, NULL) == 0);
		while (held != 2)
			usleep(1000);
		CHECK(lib_fails() == -1 && lib_counts() == -1);
		CHECK(raise(SIGURG) == 0 && raise(SIGUSR2) == 0 && handled == 1);
		puts("a handler of app's runs while lib is not new yet");
		held = 0;
		CHECK(pthread_join(thread, NULL) == 0);
	}
	if (strcmp(how, "meanwhile") == 0) {
		double expected = compute();
		pthread_t thread;
		CHECK(pthread_create(&thread, NULL, keep_failing, NULL) == 0);
		for (int i = 0; i < 2000; i++) {
			CHECK(pthread_kill(computing, SIGURG) == 0);
			if (i % 100 == 0)
				CHECK(compute() == expected);
		}
		stop = 1;
		CHECK(pthread_join(thread, NULL) == 0);
		puts("signals came while the library failed on another thread");
	}
	return 0;
}
