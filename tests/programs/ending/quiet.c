#include <stdlib.h>
#include "check.h"

static void handler(void) { puts("quiet: handler"); }

void quiet_call(void)
{
	atexit(handler);
	puts("quiet: called");
}
