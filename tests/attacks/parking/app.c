//! codec goes back to the monitor, which has made it run for app's first call, while
//! somebody still waits: helper for codec itself (`called`), or app for helper, which has
//! wiped out of its own frame that it waits for codec (`wiped`). app would go on in the
//! middle of its own call. Each is tried by the thread that the first call makes
//! (`thread`) and by the `main` that makes it (`main`).
//@ only: pku
//@ run: called main
//@ stdout: codec is refused
//@ without: parking
//@ then: stdout: app goes on, while helper waits for codec
//@ run: called thread
//@ stdout: codec is refused
//@ without: parking
//@ then: stdout: app goes on, while helper waits for codec
//@ run: wiped main
//@ stdout: codec is refused
//@ without: parking
//@ then: stdout: app goes on, while it waits for helper
//@ run: wiped thread
//@ stdout: codec is refused
//@ without: parking
//@ then: stdout: app goes on, while it waits for helper

#include <stdio.h>
#include <string.h>
#include "attack.h"

static int way, waits;

int app_way(void) { return way; }

void app_call_helper(void)
{
	waits = 1;
	helper_call_codec();
	waits = 0;
}

int main(int count, char **arguments)
{
	if (count != 3)
		return 2;
	way = (strcmp(arguments[1], "wiped") == 0 ? WIPED : 0) | (strcmp(arguments[2], "thread") == 0 ? IN_THREAD : 0);
	helper_prepare();
	codec_use();
	printf("app goes on, %s\n",
		waits ? "while it waits for helper" : helper_waits() ? "while helper waits for codec" : "and nobody waits");
	return 0;
}
