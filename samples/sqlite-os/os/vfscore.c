/* The VFS core. There is one file system, at the root. */

#include "vfscore.h"
#include "alloc.h"
#include "os.h"
#include "ramfs.h"

#include <errno.h>
#include <stddef.h>

PART_CALLS(vfscore)

#define FILES 64

static struct file {
	int used;
	int flags;
	int level;
	long node;
} files[FILES];

static char *buffers;
static long buffers_size;

void vfs_start(void)
{
	buffers = CALL(ALLOC, alloc_base(BUFFERS));
	buffers_size = CALL(ALLOC, alloc_size(BUFFERS));
}

static struct file *find(long file)
{
	return file >= 0 && file < FILES && files[file].used ? &files[file] : NULL;
}

/* The name in the file system; NULL if this is no path. */
static const char *name(const char *path)
{
	long offset = path - buffers;
	return offset >= 0 && offset < buffers_size && *path == '/' ? path + 1 : NULL;
}

static int is_open(long node)
{
	for (int file = 0; file < FILES; file++)
		if (files[file].used && files[file].node == node)
			return 1;
	return 0;
}

long vfs_open(const char *path, int flags)
{
	if (name(path) == NULL)
		return -EINVAL;
	long file = 0;
	while (file < FILES && files[file].used)
		file++;
	if (file == FILES)
		return -EMFILE;
	long node = CALL(RAMFS, ramfs_lookup(name(path)));
	if (node >= 0 && flags & VFS_EXCLUSIVE)
		return -EEXIST;
	if (node == -ENOENT && flags & VFS_CREATE)
		node = CALL(RAMFS, ramfs_create(name(path)));
	if (node < 0)
		return node;
	files[file] = (struct file){ .used = 1, .flags = flags, .node = node };
	return file;
}

long vfs_close(long number)
{
	struct file *file = find(number);
	if (file == NULL)
		return -EBADF;
	file->used = 0;
	if (file->flags & VFS_DELETE_ON_CLOSE)
		CALL(RAMFS, ramfs_unlink(file->node));
	return is_open(file->node) ? 0 : CALL(RAMFS, ramfs_drop(file->node));
}

long vfs_remove(const char *path)
{
	if (name(path) == NULL)
		return -EINVAL;
	long node = CALL(RAMFS, ramfs_lookup(name(path)));
	if (node < 0)
		return node;
	long error = CALL(RAMFS, ramfs_unlink(node));
	return error || is_open(node) ? error : CALL(RAMFS, ramfs_drop(node));
}

long vfs_access(const char *path)
{
	return name(path) != NULL && CALL(RAMFS, ramfs_lookup(name(path))) >= 0;
}

long vfs_read(long number, void *buffer, long size, long offset)
{
	struct file *file = find(number);
	return file == NULL ? -EBADF : CALL(RAMFS, ramfs_read(file->node, buffer, size, offset));
}

long vfs_write(long number, const void *buffer, long size, long offset)
{
	struct file *file = find(number);
	return file == NULL ? -EBADF : CALL(RAMFS, ramfs_write(file->node, buffer, size, offset));
}

long vfs_truncate(long number, long size)
{
	struct file *file = find(number);
	return file == NULL ? -EBADF : CALL(RAMFS, ramfs_truncate(file->node, size));
}

long vfs_size(long number)
{
	struct file *file = find(number);
	return file == NULL ? -EBADF : CALL(RAMFS, ramfs_size(file->node));
}

long vfs_sync(long number)
{
	struct file *file = find(number);
	return file == NULL ? -EBADF : CALL(RAMFS, ramfs_sync(file->node));
}

/* The highest lock that anybody else has on the same file. */
static int others(const struct file *file)
{
	int highest = VFS_UNLOCKED;
	for (int other = 0; other < FILES; other++) {
		const struct file *its = &files[other];
		if (its != file && its->used && its->node == file->node && its->level > highest)
			highest = its->level;
	}
	return highest;
}

long vfs_lock(long number, int level)
{
	struct file *file = find(number);
	if (file == NULL)
		return -EBADF;
	if (level < VFS_SHARED || level > VFS_EXCLUSIVELY)
		return -EINVAL;
	if (level <= file->level)
		return 0;
	int most = level == VFS_SHARED ? VFS_RESERVED : level == VFS_EXCLUSIVELY ? VFS_UNLOCKED : VFS_SHARED;
	if (others(file) > most) {
		/* Who waits for readers to go lets no new ones come. */
		if (level == VFS_EXCLUSIVELY && file->level == VFS_RESERVED && others(file) == VFS_SHARED)
			file->level = VFS_PENDING;
		return -EAGAIN;
	}
	file->level = level;
	return 0;
}

long vfs_unlock(long number, int level)
{
	struct file *file = find(number);
	if (file == NULL)
		return -EBADF;
	if (level == VFS_UNLOCKED || level == VFS_SHARED)
		file->level = level < file->level ? level : file->level;
	return 0;
}

long vfs_reserved(long number)
{
	struct file *file = find(number);
	if (file == NULL)
		return -EBADF;
	return file->level >= VFS_RESERVED || others(file) >= VFS_RESERVED;
}
