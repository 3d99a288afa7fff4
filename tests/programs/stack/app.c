//! A stack ends in a page that nobody may touch, not in other memory.
//@ run: fits
//@ stdout: 200
//@ run: guard
//@ stdout: 0
//@ run: lib
//@ signal: 11
//@ violation: kind=crash cubicle=lib access=write signal=11 chain=lib_deep
//@ run: app
//@ signal: 11
//@ violation: kind=crash cubicle=app access=write signal=11 chain=

#include <string.h>
#include "check.h"

int lib_deep(int);
int lib_guard(void);

static int deep(int n)
{
	volatile char space[1000];
	space[0] = 1;
	return n == 0 ? 0 : deep(n - 1) + space[0];
}

int main(int count, char **arguments)
{
	const char *how = count > 1 ? arguments[1] : "";
	if (strcmp(how, "guard") == 0) {
		printf("%d\n", lib_guard());
		return 0;
	}
	if (strcmp(how, "app") == 0)
		deep(100000000);
	printf("%d\n", lib_deep(strcmp(how, "lib") == 0 ? 100000000 : 200));
}
