/* What the test programs share. A failed check is a line of output, which no
 * program expects. */
#include <stdio.h>

#define CHECK(condition) \
	((condition) ? (void)0 : (void)(printf("%s:%d: %s\n", __FILE_NAME__, __LINE__, #condition), fflush(stdout)))
