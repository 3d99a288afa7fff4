/* The RAM file system: one folder of files, each a list of pages of the allocator's. Buffers and
 * names lie in the pool of buffers. Errors are negative. */

#ifndef RAMFS_H
#define RAMFS_H

void ramfs_start(void);

/* The number of the file with this name. -ENOENT. */
long ramfs_lookup(const char *name);

/* -EEXIST, -ENFILE, -ENAMETOOLONG. */
long ramfs_create(const char *name);

/* Takes away a file's name. Its pages stay until it is dropped. */
long ramfs_unlink(long node);

/* Nobody has the file open any more: one without a name goes. */
long ramfs_drop(long node);

/* How many bytes: fewer at the end of the file. */
long ramfs_read(long node, void *buffer, long size, long offset);
long ramfs_write(long node, const void *buffer, long size, long offset);

long ramfs_truncate(long node, long size);
long ramfs_size(long node);
long ramfs_sync(long node);

long ramfs_calls(int callee);

#endif
