/* The allocator. What is free is written down in memory of its own that nobody else sees: whoever
 * uses a pool can write into its pages, free ones too. */

#include "alloc.h"
#include "os.h"

#include <cubicle.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

PART_CALLS(alloc)

#define MOST_PAGES (192L * 1024)

static const long pages_of[POOLS] = { [BUFFERS] = 16L * 1024, [BLOCKS] = MOST_PAGES };

static struct {
	char *base;
	/* Pages from here on were never given out. */
	long fresh;
	/* Single pages that came back. */
	long number_free;
	unsigned free[MOST_PAGES];
	unsigned char given[MOST_PAGES];
} pools[POOLS];

static int known(int pool) { return pool >= 0 && pool < POOLS && pools[pool].base != NULL; }

/* The manifest's keyed window: several parts use it all the time, and never wait for a page. */
static char *buffers(long size)
{
	int window = cubicle_find("buffers");
	/* There is none if all who use it are in one cubicle. */
	return window < 0 ? aligned_alloc(PAGE, size) : cubicle_window_alloc(window, size);
}

/* Memory of this part's own, open to the file system: a page goes there by a fault when it is touched
 * the first time, and stays, because nobody else touches it. */
static int blocks_window = -1;

static char *blocks(long size)
{
	char *memory = aligned_alloc(PAGE, size);
	int ramfs = cubicle_find("ramfs");
	/* It may be in the same cubicle. */
	if (memory == NULL || ramfs < 0)
		return memory;
	blocks_window = cubicle_window_init();
	if (blocks_window < 0 || cubicle_window_add(blocks_window, memory, size) < 0 ||
	    cubicle_window_open(blocks_window, ramfs) < 0)
		return NULL;
	return memory;
}

void alloc_start(void)
{
	if (pools[BUFFERS].base == NULL)
		pools[BUFFERS].base = buffers(pages_of[BUFFERS] * PAGE);
	if (pools[BLOCKS].base == NULL)
		pools[BLOCKS].base = blocks(pages_of[BLOCKS] * PAGE);
}

void *alloc_pages(int pool, long count)
{
	if (!known(pool) || count <= 0)
		return NULL;
	long page;
	if (count == 1 && pools[pool].number_free > 0) {
		page = pools[pool].free[--pools[pool].number_free];
	} else if (count <= pages_of[pool] - pools[pool].fresh) {
		page = pools[pool].fresh;
		pools[pool].fresh += count;
	} else {
		return NULL;
	}
	memset(pools[pool].given + page, 1, count);
	return pools[pool].base + page * PAGE;
}

long alloc_free(int pool, void *pages, long count)
{
	if (!known(pool))
		return -EINVAL;
	long offset = (char *)pages - pools[pool].base, first = offset / PAGE;
	if (offset < 0 || offset % PAGE != 0 || count < 0 || count > pools[pool].fresh - first)
		return -EINVAL;
	for (long page = first; page < first + count; page++) {
		if (!pools[pool].given[page])
			return -EINVAL;
		pools[pool].given[page] = 0;
		pools[pool].free[pools[pool].number_free++] = page;
	}
	return 0;
}

void *alloc_base(int pool) { return known(pool) ? pools[pool].base : NULL; }

long alloc_size(int pool) { return known(pool) ? pages_of[pool] * PAGE : 0; }

long alloc_faults(void) { return blocks_window < 0 ? 0 : cubicle_window_faults(blocks_window); }
