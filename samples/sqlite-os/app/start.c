/* Boots, and connects SQLite and the standard output with the library OS. */

#define _GNU_SOURCE
#include "buffers.h"
#include "sqlite_os.h"

#include "../os/alloc.h"
#include "../os/boot.h"
#include "../os/clock.h"
#include "../os/plat.h"
#include "../os/ramfs.h"
#include "../os/vfscore.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long calls[PARTS];
char *bounce, *path_page, *console_page;
static char *pool;
static long pool_size;

/* SQLite's page cache lies in the pool, so that pages go between it and files without another copy.
 * A place holds a page of 4096 bytes and what SQLite keeps beside each; there are some more
 * than its default cache of 2000 KiB needs, for temporary tables. */
#define CACHE_PLACE 4608
#define CACHE_PLACES 2048

int in_buffers(const void *memory, long size)
{
	long offset = (const char *)memory - pool;
	return offset >= 0 && offset <= pool_size && size <= pool_size - offset;
}

static void require(int holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "sqlite-os: %s\n", what);
		exit(1);
	}
}

/* What stdout is from now on. */
static ssize_t console(void *cookie, const char *text, size_t size)
{
	(void)cookie;
	if (size > (size_t)PAGE)
		size = PAGE;
	memcpy(console_page, text, size);
	long written = CALL(PLAT, plat_console(console_page, size));
	return written < 0 ? 0 : written;
}

static char *pages(long count)
{
	char *memory = CALL(ALLOC, alloc_pages(BUFFERS, count));
	require(memory != NULL, "no pages for buffers");
	return memory;
}

void sqlite_os_start(void)
{
	require(CALL(BOOT, boot_start()) == 0, "the library OS does not start");
	pool = CALL(ALLOC, alloc_base(BUFFERS));
	pool_size = CALL(ALLOC, alloc_size(BUFFERS));
	bounce = pages(BOUNCE / PAGE);
	path_page = pages(1);
	console_page = pages(1);

	fflush(stdout);
	FILE *output = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = console });
	require(output != NULL, "no console");
	setvbuf(output, NULL, _IOLBF, PAGE);
	stdout = output;

	char *cache = pages((CACHE_PLACE * CACHE_PLACES + PAGE - 1) / PAGE);
	require(sqlite3_config(SQLITE_CONFIG_PAGECACHE, cache, CACHE_PLACE, CACHE_PLACES) == SQLITE_OK,
		"SQLite does not take its page cache");
	require(sqlite3_vfs_register(os_vfs(), 1) == SQLITE_OK, "SQLite does not take the VFS");
}

void sqlite_os_print_calls(void)
{
	static const char *const names[PARTS] = { "app", "vfscore", "ramfs", "alloc", "plat", "time", "boot" };
	long (*const of_part[PARTS])(int) = { NULL, vfscore_calls, ramfs_calls, alloc_calls, plat_calls, clock_calls, boot_calls };
	for (int caller = 0; caller < PARTS; caller++) {
		for (int callee = 0; callee < PARTS; callee++) {
			long number = caller == APP ? calls[callee] : of_part[caller](callee);
			if (number > 0)
				printf("calls %s %s %ld\n", names[caller], names[callee], number);
		}
	}
}

void sqlite_os_print_faults(void) { printf("faults %ld\n", CALL(ALLOC, alloc_faults())); }
