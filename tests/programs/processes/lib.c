#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib.h"

static int number;
static char secret[] = "secret";

int lib_next(void) { return ++number; }
void lib_fill(char *data, unsigned long size) { memset(data, 'f', size); }
void lib_say(void) { printf("lib says %d\n", number); }
unsigned long lib_secret(void) { return (unsigned long)secret; }

int lib_forks(void)
{
	pid_t child = fork();
	if (child == 0)
		_exit(1);
	return child == -1 ? errno : 0;
}
