/* speedtest1, on the library OS or on SQLite's own VFS for Unix. `CALLS` in the environment has the
 * calls between parts and the faults of windows printed in the end. */

#include <stdio.h>
#include <stdlib.h>

#ifndef LINUX
#include "sqlite_os.h"
#endif

int speedtest1_main(int, char **);

int main(int count, char **arguments)
{
#ifndef LINUX
	sqlite_os_start();
#endif
	int status = speedtest1_main(count, arguments);
#ifndef LINUX
	if (getenv("CALLS") != NULL) {
		sqlite_os_print_calls();
		sqlite_os_print_faults();
	}
#endif
	fflush(stdout);
	return status;
}
