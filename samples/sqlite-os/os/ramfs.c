/* The RAM file system. */

#include "ramfs.h"
#include "alloc.h"
#include "clock.h"
#include "os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

PART_CALLS(ramfs)

#define NODES 64
#define NAME 64
/* A file's largest size; the table of its pages must not overflow. */
#define LARGEST (1L << 34)

static struct node {
	int used;
	char name[NAME]; /* empty: unlinked */
	long size;
	long changed; /* seconds since 1970 */
	char **pages; /* NULL: a hole */
	long number;
} nodes[NODES];

static char *buffers;
static long buffers_size;

void ramfs_start(void)
{
	buffers = CALL(ALLOC, alloc_base(BUFFERS));
	buffers_size = CALL(ALLOC, alloc_size(BUFFERS));
}

static struct node *find(long node)
{
	return node >= 0 && node < NODES && nodes[node].used ? &nodes[node] : NULL;
}

/* Whether a caller may have meant it: else it could have this part's own memory, or the contents of
 * files, read and written in its name. */
static int in_buffers(const void *memory, long size)
{
	long offset = (const char *)memory - buffers;
	return size >= 0 && offset >= 0 && offset <= buffers_size && size <= buffers_size - offset;
}

/* Reads a name once, into this part's own memory. */
static int take_name(char own[NAME], const char *name)
{
	for (long length = 0; length < NAME; length++) {
		if (!in_buffers(name + length, 1))
			return -EFAULT;
		own[length] = name[length];
		if (own[length] == 0)
			return length > 0 ? 0 : -ENOENT;
	}
	return -ENAMETOOLONG;
}

static long named(const char own[NAME])
{
	for (long node = 0; node < NODES; node++)
		if (nodes[node].used && strcmp(nodes[node].name, own) == 0)
			return node;
	return -ENOENT;
}

long ramfs_lookup(const char *name)
{
	char own[NAME];
	int error = take_name(own, name);
	return error ? error : named(own);
}

long ramfs_create(const char *name)
{
	char own[NAME];
	int error = take_name(own, name);
	if (error)
		return error;
	if (named(own) >= 0)
		return -EEXIST;
	for (long node = 0; node < NODES; node++) {
		if (!nodes[node].used) {
			nodes[node] = (struct node){ .used = 1 };
			memcpy(nodes[node].name, own, NAME);
			nodes[node].changed = CALL(TIME, clock_of_tick());
			return node;
		}
	}
	return -ENFILE;
}

long ramfs_unlink(long node)
{
	struct node *file = find(node);
	if (file == NULL)
		return -EBADF;
	file->name[0] = 0;
	return 0;
}

/* Gives back the pages from this one on. */
static void shorten(struct node *file, long first)
{
	for (long page = first; page < file->number; page++) {
		if (file->pages[page] != NULL) {
			CALL(ALLOC, alloc_free(BLOCKS, file->pages[page], 1));
			file->pages[page] = NULL;
		}
	}
}

long ramfs_drop(long node)
{
	struct node *file = find(node);
	if (file == NULL)
		return -EBADF;
	if (file->name[0] == 0) {
		shorten(file, 0);
		free(file->pages);
		*file = (struct node){ 0 };
	}
	return 0;
}

long ramfs_read(long node, void *buffer, long size, long offset)
{
	struct node *file = find(node);
	if (file == NULL)
		return -EBADF;
	if (!in_buffers(buffer, size))
		return -EFAULT;
	if (offset < 0 || offset >= file->size)
		return offset < 0 ? -EINVAL : 0;
	if (size > file->size - offset)
		size = file->size - offset;
	for (long done = 0; done < size;) {
		long page = (offset + done) / PAGE, within = (offset + done) % PAGE;
		long piece = PAGE - within < size - done ? PAGE - within : size - done;
		char *from = page < file->number ? file->pages[page] : NULL;
		if (from != NULL)
			memcpy((char *)buffer + done, from + within, piece);
		else
			memset((char *)buffer + done, 0, piece);
		done += piece;
	}
	return size;
}

/* Makes room for so many entries of the table. */
static int reach(struct node *file, long number)
{
	if (number <= file->number)
		return 0;
	long room = file->number ? file->number : 16;
	while (room < number)
		room *= 2;
	char **pages = realloc(file->pages, room * sizeof *pages);
	if (pages == NULL)
		return -ENOMEM;
	memset(pages + file->number, 0, (room - file->number) * sizeof *pages);
	file->pages = pages;
	file->number = room;
	return 0;
}

long ramfs_write(long node, const void *buffer, long size, long offset)
{
	struct node *file = find(node);
	if (file == NULL)
		return -EBADF;
	if (!in_buffers(buffer, size))
		return -EFAULT;
	if (offset < 0 || offset > LARGEST - size)
		return -EFBIG;
	if (reach(file, (offset + size + PAGE - 1) / PAGE) != 0)
		return -ENOMEM;
	for (long done = 0; done < size;) {
		long page = (offset + done) / PAGE, within = (offset + done) % PAGE;
		long piece = PAGE - within < size - done ? PAGE - within : size - done;
		if (file->pages[page] == NULL) {
			char *fresh = CALL(ALLOC, alloc_pages(BLOCKS, 1));
			if (fresh == NULL)
				return -ENOSPC;
			/* Around what is written, the file must be zeroes. */
			if (piece < PAGE)
				memset(fresh, 0, PAGE);
			file->pages[page] = fresh;
		}
		memcpy(file->pages[page] + within, (const char *)buffer + done, piece);
		done += piece;
		if (offset + done > file->size)
			file->size = offset + done;
	}
	file->changed = CALL(TIME, clock_of_tick());
	return size;
}

long ramfs_truncate(long node, long size)
{
	struct node *file = find(node);
	if (file == NULL)
		return -EBADF;
	if (size < 0 || size > LARGEST)
		return -EINVAL;
	if (size < file->size) {
		shorten(file, (size + PAGE - 1) / PAGE);
		/* What lies behind the end must be zeroes if the file grows again. */
		char *last = size / PAGE < file->number ? file->pages[size / PAGE] : NULL;
		if (last != NULL)
			memset(last + size % PAGE, 0, PAGE - size % PAGE);
	}
	file->size = size;
	file->changed = CALL(TIME, clock_of_tick());
	return 0;
}

long ramfs_size(long node)
{
	struct node *file = find(node);
	return file == NULL ? -EBADF : file->size;
}

/* What is in memory is as safe as it gets. */
long ramfs_sync(long node) { return find(node) == NULL ? -EBADF : 0; }
