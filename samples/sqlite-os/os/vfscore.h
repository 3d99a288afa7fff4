/* The VFS core: paths, open files and locks, above the file system. Paths and buffers lie in the pool
 * of buffers. Errors are negative. */

#ifndef VFSCORE_H
#define VFSCORE_H

enum { VFS_CREATE = 1, VFS_EXCLUSIVE = 2, VFS_DELETE_ON_CLOSE = 4 };

/* How far a file is locked, each more than the one before: many may have a shared lock, one of them a
 * reserved one, which goes on to pending (no new shared ones) and exclusive. */
enum { VFS_UNLOCKED, VFS_SHARED, VFS_RESERVED, VFS_PENDING, VFS_EXCLUSIVELY };

void vfs_start(void);

/* The number of an open file. */
long vfs_open(const char *path, int flags);
long vfs_close(long file);
long vfs_remove(const char *path);

/* 1 if there is such a file, else 0. */
long vfs_access(const char *path);

long vfs_read(long file, void *buffer, long size, long offset);
long vfs_write(long file, const void *buffer, long size, long offset);
long vfs_truncate(long file, long size);
long vfs_size(long file);
long vfs_sync(long file);

/* -EAGAIN: somebody else's lock is in the way. */
long vfs_lock(long file, int level);
long vfs_unlock(long file, int level);

/* 1 if anybody has a reserved lock or more. */
long vfs_reserved(long file);

long vfscore_calls(int callee);

#endif
