//! Children: partitioned as their parent is, with memory of their own; other
//! programs, started by each way that there is; and who may not.
//@ run: fork
//@ stdout: child: 1 2 of its own, threads right
//@ stdout: parent: 1 2 of its own, child ended with 5
//@ run: output
//@ stdout: first
//@ stdout: lib says 1
//@ stdout: second
//@ stdout: lib says 2
//@ run: attack
//@ status: 0
//@ stdout: the child ended with 86
//@ violation: kind=access cubicle=app owner=lib place=data access=read
//@ run: spawn
//@ stdout: hello from a program
//@ stdout: it ended with 3
//@ stdout: no such program: 2
//@ stdout: and 3 is next
//@ run: exec
//@ stdout: hello instead
//@ status: 4
//@ run: vfork
//@ stdout: hello from vfork
//@ stdout: it ended with 0
//@ run: system
//@ only: native
//@ stdout: hello from a pipe
//@ run: threads
//@ stdout: 32 children were right
//@ run: denied
//@ stdout: lib may not: EPERM
//@ without: grants
//@ then: stdout: lib may: a child ended

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"
#include "lib.h"

extern char **environ;
/* The program itself is another program, too. */
static char *self;

static int status_of(pid_t child)
{
	int status = -1;
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void *calls(void *argument)
{
	char data[40000];
	memset(data, 0, sizeof data);
	for (int round = 0; round < 20; round++) {
		lib_fill(data, sizeof data);
		if (data[0] != 'f' || data[sizeof data - 1] != 'f')
			return NULL;
	}
	return argument;
}

static int threads_are_right(void)
{
	pthread_t threads[4];
	int right = 1;
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, calls, &right) == 0);
	for (int i = 0; i < 4; i++) {
		void *result;
		CHECK(pthread_join(threads[i], &result) == 0);
		right &= result != NULL;
	}
	return right;
}

static void forks(void)
{
	CHECK(lib_next() == 1);
	CHECK(threads_are_right());
	pid_t parent = getpid(), child = fork();
	CHECK(child != -1);
	if (child == 0) {
		CHECK(getppid() == parent && getpid() != parent && gettid() == getpid());
		printf("child: 1 %d of its own, threads %s\n", lib_next(), threads_are_right() ? "right" : "wrong");
		fflush(stdout);
		_exit(5);
	}
	int status = status_of(child);
	printf("parent: 1 %d of its own, child ended with %d\n", lib_next(), status);
	CHECK(threads_are_right());
}

/* What a stream holds is written once, by the process that ends with `exit`, though both
 * have it. */
static void outputs(void)
{
	lib_next();
	puts("first");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		lib_say();
		exit(0);
	}
	CHECK(status_of(child) == 0);
	puts("second");
	fflush(stdout);
	lib_next();
	lib_say();
	child = fork();
	if (child == 0)
		_exit(0);
	CHECK(status_of(child) == 0);
}

static void attacks(void)
{
	unsigned long at = lib_secret();
	pid_t child = fork();
	if (child == 0) {
		puts((const char *)at);
		exit(0);
	}
	printf("the child ended with %d\n", status_of(child));
}

static void spawns(void)
{
	pid_t child = -1;
	char *say[] = { self, "say", "hello from a program", "3", NULL };
	lib_next();
	CHECK(posix_spawn(&child, self, NULL, NULL, say, environ) == 0);
	printf("it ended with %d\n", status_of(child));
	lib_next();
	printf("no such program: %d\n", posix_spawn(&child, "/no/such/program", NULL, NULL, say, environ));
	printf("and %d is next\n", lib_next());
	CHECK(threads_are_right());
}

static void *children(void *right)
{
	for (int round = 0; round < 4; round++) {
		pid_t child = -1;
		char *nothing[] = { self, "nothing", NULL };
		int result = posix_spawn(&child, self, NULL, NULL, nothing, environ);
		if (result == 0 && status_of(child) == 0)
			__atomic_add_fetch((int *)right, 1, __ATOMIC_RELAXED);
		child = fork();
		if (child == 0)
			_exit(lib_next() > 0 ? 9 : 1);
		if (status_of(child) == 9)
			__atomic_add_fetch((int *)right, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	self = (char *)getauxval(AT_EXECFN);
	if (strcmp(how, "say") == 0) {
		CHECK(lib_next() == 1);
		puts(arguments[2]);
		return atoi(arguments[3]);
	}
	if (strcmp(how, "fork") == 0)
		forks();
	if (strcmp(how, "output") == 0)
		outputs();
	if (strcmp(how, "attack") == 0)
		attacks();
	if (strcmp(how, "spawn") == 0)
		spawns();
	if (strcmp(how, "exec") == 0) {
		lib_next();
		execl(self, self, "say", "hello instead", "4", NULL);
		puts("not executed");
	}
	if (strcmp(how, "vfork") == 0) {
		pid_t child = vfork();
		if (child == 0) {
			execl(self, self, "say", "hello from vfork", "0", NULL);
			_exit(1);
		}
		printf("it ended with %d\n", status_of(child));
	}
	if (strcmp(how, "system") == 0) {
		char line[100] = "";
		FILE *output = popen("echo hello from a pipe", "r");
		CHECK(output != NULL && fgets(line, sizeof line, output) != NULL);
		CHECK(pclose(output) == 0);
		fputs(line, stdout);
	}
	if (strcmp(how, "threads") == 0) {
		pthread_t threads[4];
		int right = 0;
		for (int i = 0; i < 4; i++)
			CHECK(pthread_create(&threads[i], NULL, children, &right) == 0);
		for (int i = 0; i < 4; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
		printf("%d children were right\n", right);
	}
	if (strcmp(how, "denied") == 0) {
		int why = lib_forks();
		if (why)
			printf("lib may not: %s\n", strerrorname_np(why));
		else
			printf("lib may: a child ended\n");
	}
	return 0;
}
