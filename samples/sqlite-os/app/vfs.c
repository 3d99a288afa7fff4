/* SQLite's VFS on the library OS's: what os_unix.c is on Unix. */

#include "buffers.h"

#include "../os/clock.h"
#include "../os/plat.h"
#include "../os/vfscore.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct open_file {
	sqlite3_file base;
	long file;
	int level;
};

#define FILE_OF(POINTER) ((struct open_file *)(POINTER))

/* Names are longer nowhere than the file system allows. */
#define LONGEST_PATH 64

static const char *crossing(const char *path)
{
	strncpy(path_page, path, LONGEST_PATH + 1);
	path_page[LONGEST_PATH + 1] = 0;
	return path_page;
}

static int close_file(sqlite3_file *file)
{
	return CALL(VFSCORE, vfs_close(FILE_OF(file)->file)) < 0 ? SQLITE_IOERR_CLOSE : SQLITE_OK;
}

static int read_file(sqlite3_file *pointer, void *buffer, int size, sqlite3_int64 offset)
{
	long file = FILE_OF(pointer)->file, done = 0, piece = 1;
	while (done < size && piece > 0) {
		char *into = (char *)buffer + done;
		long wanted = size - done;
		if (in_buffers(into, wanted)) {
			piece = CALL(VFSCORE, vfs_read(file, into, wanted, offset + done));
		} else {
			wanted = wanted < BOUNCE ? wanted : BOUNCE;
			piece = CALL(VFSCORE, vfs_read(file, bounce, wanted, offset + done));
			if (piece > 0)
				memcpy(into, bounce, piece);
		}
		if (piece < 0)
			return SQLITE_IOERR_READ;
		done += piece;
	}
	if (done == size)
		return SQLITE_OK;
	/* SQLite wants zeroes behind the end. */
	memset((char *)buffer + done, 0, size - done);
	return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *pointer, const void *buffer, int size, sqlite3_int64 offset)
{
	long file = FILE_OF(pointer)->file, done = 0;
	while (done < size) {
		const char *from = (const char *)buffer + done;
		long piece = size - done;
		if (!in_buffers(from, piece)) {
			piece = piece < BOUNCE ? piece : BOUNCE;
			memcpy(bounce, from, piece);
			from = bounce;
		}
		piece = CALL(VFSCORE, vfs_write(file, from, piece, offset + done));
		if (piece <= 0)
			return piece == -ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
		done += piece;
	}
	return SQLITE_OK;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
	return CALL(VFSCORE, vfs_truncate(FILE_OF(file)->file, size)) < 0 ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int sync_file(sqlite3_file *file, int flags)
{
	(void)flags;
	return CALL(VFSCORE, vfs_sync(FILE_OF(file)->file)) < 0 ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int size_of_file(sqlite3_file *file, sqlite3_int64 *size)
{
	*size = CALL(VFSCORE, vfs_size(FILE_OF(file)->file));
	return *size < 0 ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

/* SQLite's levels of locks are the VFS core's. */
_Static_assert(SQLITE_LOCK_SHARED == VFS_SHARED && SQLITE_LOCK_RESERVED == VFS_RESERVED &&
	       SQLITE_LOCK_PENDING == VFS_PENDING && SQLITE_LOCK_EXCLUSIVE == VFS_EXCLUSIVELY, "levels");

static int lock_file(sqlite3_file *pointer, int level)
{
	struct open_file *file = FILE_OF(pointer);
	if (level <= file->level)
		return SQLITE_OK;
	long error = CALL(VFSCORE, vfs_lock(file->file, level));
	if (error)
		return error == -EAGAIN ? SQLITE_BUSY : SQLITE_IOERR_LOCK;
	file->level = level;
	return SQLITE_OK;
}

static int unlock_file(sqlite3_file *pointer, int level)
{
	struct open_file *file = FILE_OF(pointer);
	if (level >= file->level)
		return SQLITE_OK;
	file->level = level;
	return CALL(VFSCORE, vfs_unlock(file->file, level)) < 0 ? SQLITE_IOERR_UNLOCK : SQLITE_OK;
}

static int is_reserved(sqlite3_file *file, int *result)
{
	long reserved = CALL(VFSCORE, vfs_reserved(FILE_OF(file)->file));
	*result = reserved > 0;
	return reserved < 0 ? SQLITE_IOERR_CHECKRESERVEDLOCK : SQLITE_OK;
}

static int control_file(sqlite3_file *file, int operation, void *argument)
{
	if (operation == SQLITE_FCNTL_LOCKSTATE) {
		*(int *)argument = FILE_OF(file)->level;
		return SQLITE_OK;
	}
	return SQLITE_NOTFOUND;
}

/* As os_unix.c has them. */
static int sector_size(sqlite3_file *file)
{
	(void)file;
	return 4096;
}

static int characteristics(sqlite3_file *file)
{
	(void)file;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = close_file,
	.xRead = read_file,
	.xWrite = write_file,
	.xTruncate = truncate_file,
	.xSync = sync_file,
	.xFileSize = size_of_file,
	.xLock = lock_file,
	.xUnlock = unlock_file,
	.xCheckReservedLock = is_reserved,
	.xFileControl = control_file,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = characteristics,
};

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *pointer, int flags, int *flags_out)
{
	static unsigned temporary;
	struct open_file *file = FILE_OF(pointer);
	int how = 0;
	(void)vfs;
	*file = (struct open_file){ 0 };
	if (flags & SQLITE_OPEN_CREATE)
		how |= VFS_CREATE;
	if (flags & SQLITE_OPEN_EXCLUSIVE)
		how |= VFS_EXCLUSIVE;
	if (flags & SQLITE_OPEN_DELETEONCLOSE)
		how |= VFS_DELETE_ON_CLOSE;
	char own[LONGEST_PATH];
	if (path == NULL) {
		snprintf(own, sizeof own, "/temporary-%u", temporary++);
		path = own;
	}
	file->file = CALL(VFSCORE, vfs_open(crossing(path), how));
	if (file->file < 0)
		return SQLITE_CANTOPEN;
	file->base.pMethods = &methods;
	if (flags_out != NULL)
		*flags_out = flags;
	return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	(void)vfs, (void)sync_folder;
	long error = CALL(VFSCORE, vfs_remove(crossing(path)));
	if (error == -ENOENT)
		return SQLITE_IOERR_DELETE_NOENT;
	return error < 0 ? SQLITE_IOERR_DELETE : SQLITE_OK;
}

static int access_file(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
	/* Whatever there is may be read and written. */
	(void)vfs, (void)flags;
	*result = CALL(VFSCORE, vfs_access(crossing(path)));
	return SQLITE_OK;
}

/* There is one folder. */
static int full_path(sqlite3_vfs *vfs, const char *path, int room, char *result)
{
	(void)vfs;
	sqlite3_snprintf(room, result, "%s%s", *path == '/' ? "" : "/", path);
	return strlen(path) + 2 > (size_t)room ? SQLITE_CANTOPEN : SQLITE_OK;
}

static int randomness(sqlite3_vfs *vfs, int size, char *result)
{
	(void)vfs;
	for (int done = 0; done < size;) {
		long bits = CALL(PLAT, plat_random());
		int piece = size - done < (int)sizeof bits ? size - done : (int)sizeof bits;
		memcpy(result + done, &bits, piece);
		done += piece;
	}
	return size;
}

static int sleep_for(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	CALL(TIME, clock_sleep(microseconds));
	return microseconds;
}

/* Milliseconds of the Julian calendar, which begins long before 1970. */
static int current_time(sqlite3_vfs *vfs, sqlite3_int64 *result)
{
	(void)vfs;
	*result = CALL(TIME, clock_milliseconds()) + 24405875LL * 8640000LL;
	return SQLITE_OK;
}

static int current_day(sqlite3_vfs *vfs, double *result)
{
	sqlite3_int64 milliseconds;
	int error = current_time(vfs, &milliseconds);
	*result = milliseconds / 86400000.0;
	return error;
}

static int last_error(sqlite3_vfs *vfs, int room, char *text)
{
	(void)vfs, (void)room, (void)text;
	return 0;
}

sqlite3_vfs *os_vfs(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 2,
		.szOsFile = sizeof(struct open_file),
		.mxPathname = LONGEST_PATH,
		.zName = "library-os",
		.xOpen = open_file,
		.xDelete = delete_file,
		.xAccess = access_file,
		.xFullPathname = full_path,
		.xRandomness = randomness,
		.xSleep = sleep_for,
		.xCurrentTime = current_day,
		.xGetLastError = last_error,
		.xCurrentTimeInt64 = current_time,
	};
	return &vfs;
}
