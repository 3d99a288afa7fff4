/* The platform, which is Linux: the only part that has descriptors. */

#include "plat.h"
#include "alloc.h"
#include "os.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

PART_CALLS(plat)

static char *buffers;
static long buffers_size;

void plat_start(void)
{
	buffers = CALL(ALLOC, alloc_base(BUFFERS));
	buffers_size = CALL(ALLOC, alloc_size(BUFFERS));
}

long plat_console(const char *text, long size)
{
	/* Else a caller could have this part's own memory written. */
	long offset = text - buffers;
	if (size < 0 || offset < 0 || offset > buffers_size || size > buffers_size - offset)
		return -EFAULT;
	for (long written = 0; written < size;) {
		long now = write(STDOUT_FILENO, text + written, size - written);
		if (now < 0)
			return -errno;
		written += now;
	}
	return size;
}

long plat_random(void)
{
	long bits = 0;
	(void)!getrandom(&bits, sizeof bits, 0);
	return bits;
}
