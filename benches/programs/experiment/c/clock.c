/* A clock for speedtest1, whose own counts milliseconds: many of its queries take only a few.
 * speedtest1 asks SQLite's default VFS for the time, and is compiled with another name for
 * `sqlite3_vfs_find`, so that it finds this VFS: the default one, but for a clock that counts
 * microseconds where milliseconds are expected. SQLite itself goes on with the default one. */

#include <sqlite3.h>
#include <time.h>

static sqlite3_vfs with_clock;

static int microseconds(sqlite3_vfs *vfs, sqlite3_int64 *result)
{
	struct timespec now;
	(void)vfs;
	clock_gettime(CLOCK_MONOTONIC, &now);
	*result = now.tv_sec * 1000000LL + now.tv_nsec / 1000;
	return SQLITE_OK;
}

sqlite3_vfs *find_vfs_with_clock(const char *name)
{
	sqlite3_vfs *found = sqlite3_vfs_find(name);
	if (found == NULL)
		return NULL;
	with_clock = *found;
	with_clock.iVersion = 2;
	with_clock.xCurrentTimeInt64 = microseconds;
	return &with_clock;
}
