/* The VFS core. There is one file system, at the root. */

#include "vfscore.h"
#include "alloc.h"
#include "os.h"
#include "ramfs.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

PART_CALLS(vfscore)

#define FILES 64
#define NODES 64
#define NAMES 64
/* The longest name, with its zero: the file system's limit, too. */
#define NAME 64

static struct file {
	int used;
	int flags;
	int level;
	long node;
} files[FILES];

/* What is known of the file system's nodes: how often each is open, and its size, which nobody changes
 * but through this part. */
static struct {
	int opened;
	long size;
} nodes[NODES];

/* What names lead to, and that there is no such file (-ENOENT): SQLite asks for its journal with every
 * statement. A name has one place, which the last one to come takes. */
static struct {
	char name[NAME];
	long node;
} names[NAMES];

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

/* The name in the file system, which the caller can still change; NULL if this is no path. */
static const char *name(const char *path)
{
	long offset = path - buffers;
	return offset >= 0 && offset < buffers_size && *path == '/' ? path + 1 : NULL;
}

/* Reads a name once, and finds its place. A name that is too long has none. */
static int place(char own[NAME], const char *name)
{
	unsigned hash = 0;
	for (int length = 0; length < NAME && name + length < buffers + buffers_size; length++) {
		own[length] = name[length];
		if (own[length] == 0)
			return hash % NAMES;
		hash = hash * 31 + (unsigned char)own[length];
	}
	return -1;
}

/* The node that a path leads to. */
static long lookup(const char *path)
{
	char own[NAME];
	if (name(path) == NULL)
		return -EINVAL;
	int here = place(own, name(path));
	if (here < 0)
		return -ENAMETOOLONG;
	if (own[0] == 0 || strcmp(names[here].name, own) != 0) {
		long node = CALL(RAMFS, ramfs_lookup(name(path)));
		if (node < 0 && node != -ENOENT)
			return node;
		/* Had the caller changed the name meanwhile, only its own files would be confused. */
		memcpy(names[here].name, own, NAME);
		names[here].node = node;
	}
	return names[here].node;
}

/* The name of a node, or of none, leads elsewhere from now on. */
static void forget(long node)
{
	for (int here = 0; here < NAMES; here++)
		if (names[here].node == node)
			names[here].name[0] = 0;
}

static long create(const char *path)
{
	long node = CALL(RAMFS, ramfs_create(name(path)));
	char own[NAME];
	int here = place(own, name(path));
	if (node >= 0 && here >= 0)
		names[here].name[0] = 0;
	return node;
}

long vfs_open(const char *path, int flags)
{
	long file = 0;
	while (file < FILES && files[file].used)
		file++;
	if (file == FILES)
		return -EMFILE;
	long node = lookup(path);
	if (node >= 0 && flags & VFS_EXCLUSIVE)
		return -EEXIST;
	if (node == -ENOENT && flags & VFS_CREATE)
		node = create(path);
	if (node < 0 || node >= NODES)
		return node < 0 ? node : -ENFILE;
	if (nodes[node].opened == 0)
		nodes[node].size = CALL(RAMFS, ramfs_size(node));
	nodes[node].opened++;
	files[file] = (struct file){ .used = 1, .flags = flags, .node = node };
	return file;
}

/* Takes a file's name away, and the file with it if nobody has it open. */
static long unlink_node(long node)
{
	forget(node);
	long error = CALL(RAMFS, ramfs_unlink(node));
	return error || nodes[node].opened ? error : CALL(RAMFS, ramfs_drop(node));
}

long vfs_close(long number)
{
	struct file *file = find(number);
	if (file == NULL)
		return -EBADF;
	file->used = 0;
	nodes[file->node].opened--;
	if (file->flags & VFS_DELETE_ON_CLOSE)
		return unlink_node(file->node);
	return nodes[file->node].opened ? 0 : CALL(RAMFS, ramfs_drop(file->node));
}

long vfs_remove(const char *path)
{
	long node = lookup(path);
	if (node < 0 || node >= NODES)
		return node < 0 ? node : -ENFILE;
	return unlink_node(node);
}

long vfs_access(const char *path) { return lookup(path) >= 0; }

long vfs_read(long number, void *buffer, long size, long offset)
{
	struct file *file = find(number);
	return file == NULL ? -EBADF : CALL(RAMFS, ramfs_read(file->node, buffer, size, offset));
}

long vfs_write(long number, const void *buffer, long size, long offset)
{
	struct file *file = find(number);
	if (file == NULL)
		return -EBADF;
	long written = CALL(RAMFS, ramfs_write(file->node, buffer, size, offset));
	if (written > 0 && offset + written > nodes[file->node].size)
		nodes[file->node].size = offset + written;
	/* It may have grown before there was no more room. */
	if (written < 0)
		nodes[file->node].size = CALL(RAMFS, ramfs_size(file->node));
	return written;
}

long vfs_truncate(long number, long size)
{
	struct file *file = find(number);
	if (file == NULL)
		return -EBADF;
	long error = CALL(RAMFS, ramfs_truncate(file->node, size));
	if (error == 0)
		nodes[file->node].size = size;
	return error;
}

long vfs_size(long number)
{
	struct file *file = find(number);
	return file == NULL ? -EBADF : nodes[file->node].size;
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
