/* Boot. */

#include "boot.h"
#include "alloc.h"
#include "clock.h"
#include "os.h"
#include "plat.h"
#include "ramfs.h"
#include "vfscore.h"

#include <errno.h>
#include <stddef.h>

PART_CALLS(boot)

long boot_start(void)
{
	CALL(ALLOC, alloc_start());
	if (CALL(ALLOC, alloc_base(BUFFERS)) == NULL || CALL(ALLOC, alloc_base(BLOCKS)) == NULL)
		return -ENOMEM;
	CALL(PLAT, plat_start());
	CALL(RAMFS, ramfs_start());
	CALL(VFSCORE, vfs_start());
	/* A clock that stands before this was written would make no sense of file times. */
	return CALL(TIME, clock_of_tick()) > 0 ? 0 : -EIO;
}
