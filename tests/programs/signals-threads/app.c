//! Signals and several threads.
//@ run: kill
//@ stdout: 100 to the thread, 0 elsewhere
//@ run: process
//@ stdout: the thread that does not block it handled 50
//@ run: wait
//@ stdout: a thread waited for 20 signals
//@ run: inherited
//@ stdout: the mask is inherited 1, changed there 1, and not here 1
//@ run: cancel
//@ stdout: cancelled in read, in a lock's wait, in a loop: 3, cleaned up 3
//@ run: asynchronous
//@ stdout: cancelled in a loop without calls: 1
//@ run: lib
//@ stdout: lib cancelled its own thread: 1
//@ run: other
//@ stdout: app handled 50 of lib's thread
//@ run: timer
//@ stdout: a timer's function ran 1
//@ run: one
//@ stdout: a timer's signal came to the thread it was for: 1
//@ run: load
//@ stdout: 4 threads, all sums right
//@ run: exit
//@ stdout: a signal for a process whose thread ends is handled: 100

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

int lib_cancels(void);
int lib_add(int, int);
void lib_starts(void);
int lib_kill(int);
void lib_stops(void);

static atomic_int there, elsewhere, ready, stop, cleaned;
static pthread_t expected;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void count(int signal)
{
	(void)signal;
	if (pthread_equal(pthread_self(), expected))
		there++;
	else
		elsewhere++;
}

static void install(int signal, int flags)
{
	struct sigaction action = {.sa_handler = count, .sa_flags = flags};
	sigemptyset(&action.sa_mask);
	CHECK(sigaction(signal, &action, NULL) == 0);
}

static void block(int signal, int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

static pthread_t start(void *(*function)(void *), void *argument)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, function, argument) == 0);
	return thread;
}

static void *spin(void *nothing)
{
	ready = 1;
	while (!stop)
		lib_add(1, 2);
	return nothing;
}

static void *unblocked(void *nothing)
{
	block(SIGUSR1, SIG_UNBLOCK);
	return spin(nothing);
}

static void *waiter(void *nothing)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (int i = 0; i < 20; i++) {
		int got = 0;
		CHECK(sigwait(&set, &got) == 0 && got == SIGUSR2);
		there++;
	}
	return nothing;
}

static void *masks(void *nothing)
{
	sigset_t now;
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	there = sigismember(&now, SIGUSR1);
	block(SIGUSR1, SIG_UNBLOCK);
	block(SIGUSR2, SIG_BLOCK);
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	elsewhere = !sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2);
	return nothing;
}

static void clean(void *nothing)
{
	(void)nothing;
	cleaned++;
}

static int ends[2];

static void *reads(void *nothing)
{
	char byte;
	pthread_cleanup_push(clean, NULL);
	ready = 1;
	CHECK(read(ends[0], &byte, 1) != 1);
	pthread_cleanup_pop(0);
	return nothing;
}

static void unlock(void *nothing)
{
	(void)nothing;
	cleaned++;
	pthread_mutex_unlock(&lock);
}

static void *waits(void *nothing)
{
	pthread_mutex_lock(&lock);
	pthread_cleanup_push(unlock, NULL);
	ready = 1;
	for (;;)
		pthread_cond_wait(&never, &lock);
	pthread_cleanup_pop(0);
	return nothing;
}

static void *loops(void *nothing)
{
	pthread_cleanup_push(clean, NULL);
	ready = 1;
	for (;;) {
		lib_add(1, 2);
		pthread_testcancel();
	}
	pthread_cleanup_pop(0);
	return nothing;
}

static void *endless(void *nothing)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	ready = 1;
	for (;;)
		__asm__ volatile("");
	return nothing;
}

static int cancelled(void *(*function)(void *))
{
	ready = 0;
	pthread_t thread = start(function, NULL);
	while (!ready)
		sched_yield();
	usleep(10000);
	CHECK(pthread_cancel(thread) == 0);
	void *result = NULL;
	CHECK(pthread_join(thread, &result) == 0);
	return result == PTHREAD_CANCELED;
}

static void run_timer(union sigval value)
{
	atomic_fetch_add((atomic_int *)value.sival_ptr, 1);
}

static void *adds(void *sums)
{
	long sum = 0;
	for (int i = 0; i < 20000; i++)
		sum += lib_add(i, 1);
	*(long *)sums = sum;
	return NULL;
}

static void *ends_soon(void *nothing) { return nothing; }

int main(int argc, char **arguments)
{
	const char *what = argc > 1 ? arguments[1] : "";
	CHECK(lib_add(1, 2) == 3);
#define RUN(name) if (strcmp(what, name) == 0)
	RUN("kill") {
		install(SIGUSR1, 0);
		expected = start(spin, NULL);
		for (int i = 1; i <= 100; i++) {
			CHECK(pthread_kill(expected, SIGUSR1) == 0);
			while (there + elsewhere < i)
				sched_yield();
		}
		stop = 1;
		pthread_join(expected, NULL);
		printf("%d to the thread, %d elsewhere\n", there, elsewhere);
	}
	RUN("process") {
		install(SIGUSR1, 0);
		block(SIGUSR1, SIG_BLOCK);
		expected = start(unblocked, NULL);
		for (int i = 1; i <= 50; i++) {
			CHECK(kill(getpid(), SIGUSR1) == 0);
			while (there + elsewhere < i)
				sched_yield();
		}
		stop = 1;
		pthread_join(expected, NULL);
		CHECK(elsewhere == 0);
		printf("the thread that does not block it handled %d\n", there);
	}
	RUN("wait") {
		block(SIGUSR2, SIG_BLOCK);
		pthread_t thread = start(waiter, NULL);
		for (int i = 1; i <= 20; i++) {
			CHECK(kill(getpid(), SIGUSR2) == 0);
			while (there < i)
				sched_yield();
		}
		pthread_join(thread, NULL);
		printf("a thread waited for %d signals\n", there);
	}
	RUN("inherited") {
		block(SIGUSR1, SIG_BLOCK);
		pthread_join(start(masks, NULL), NULL);
		sigset_t now;
		pthread_sigmask(SIG_BLOCK, NULL, &now);
		printf("the mask is inherited %d, changed there %d, and not here %d\n", there, elsewhere,
		       sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
	}
	RUN("cancel") {
		CHECK(pipe(ends) == 0);
		int sum = cancelled(reads);
		sum += cancelled(waits);
		CHECK(pthread_mutex_trylock(&lock) == 0);
		sum += cancelled(loops);
		printf("cancelled in read, in a lock's wait, in a loop: %d, cleaned up %d\n", sum, cleaned);
	}
	RUN("asynchronous") printf("cancelled in a loop without calls: %d\n", cancelled(endless));
	RUN("lib") printf("lib cancelled its own thread: %d\n", lib_cancels());
	RUN("other") {
		install(SIGUSR1, 0);
		lib_starts();
		for (int i = 1; i <= 50; i++) {
			CHECK(lib_kill(SIGUSR1) == 0);
			while (there + elsewhere < i)
				sched_yield();
		}
		lib_stops();
		printf("app handled %d of lib's thread\n", elsewhere);
	}
	RUN("timer") {
		atomic_int ran = 0;
		struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = run_timer, .sigev_value.sival_ptr = &ran};
		timer_t timer;
		CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
		struct itimerspec soon = {.it_value.tv_nsec = 1000000};
		CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
		while (!ran)
			sched_yield();
		printf("a timer's function ran %d\n", ran);
	}
	RUN("one") {
		install(SIGUSR1, 0);
		expected = pthread_self();
		pthread_t other = start(spin, NULL);
		struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
		event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
		timer_t timer;
		CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
		struct itimerspec soon = {.it_value.tv_nsec = 1000000};
		CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
		while (!there && !elsewhere)
			sched_yield();
		stop = 1;
		pthread_join(other, NULL);
		printf("a timer's signal came to the thread it was for: %d\n", there);
	}
	RUN("load") {
		install(SIGALRM, SA_RESTART);
		install(SIGUSR1, SA_RESTART);
		pthread_t threads[4];
		long sums[4] = {0};
		struct itimerval often = {{0, 3000}, {0, 3000}};
		CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
		for (int i = 0; i < 4; i++)
			threads[i] = start(adds, &sums[i]);
		for (int i = 0; i < 200; i++)
			pthread_kill(threads[i % 4], SIGUSR1);
		int right = 0;
		for (int i = 0; i < 4; i++) {
			pthread_join(threads[i], NULL);
			right += sums[i] == 20000L * 19999 / 2 + 20000;
		}
		struct itimerval none = {{0, 0}, {0, 0}};
		setitimer(ITIMER_REAL, &none, NULL);
		CHECK(right == 4);
		printf("4 threads, all sums right\n");
	}
	RUN("exit") {
		install(SIGUSR1, SA_RESTART);
		for (int i = 1; i <= 100; i++) {
			pthread_t thread = start(ends_soon, NULL);
			CHECK(kill(getpid(), SIGUSR1) == 0);
			pthread_join(thread, NULL);
			while (there + elsewhere < i)
				sched_yield();
		}
		printf("a signal for a process whose thread ends is handled: %d\n", there + elsewhere);
	}
}
