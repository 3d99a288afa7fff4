/* The allocator. Each pool is a keyed window. What is free is written down in this part's own
 * memory: whoever uses a pool can write into its pages, free ones too. */

#include "alloc.h"
#include "os.h"

#include <cubicle.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

PART_CALLS(alloc)

#define MOST_PAGES (192L * 1024)

static const struct {
	const char *window;
	long pages;
} kinds[POOLS] = {
	[BUFFERS] = { "buffers", 16L * 1024 },
	[BLOCKS] = { "blocks", MOST_PAGES },
};

static struct {
	char *base;
	/* Pages from here on were never given out, and are zeroes. */
	long fresh;
	/* Single pages that came back. */
	long number_free;
	unsigned free[MOST_PAGES];
	unsigned char given[MOST_PAGES];
} pools[POOLS];

static int known(int pool) { return pool >= 0 && pool < POOLS && pools[pool].base != NULL; }

void alloc_start(void)
{
	for (int pool = 0; pool < POOLS; pool++) {
		int window = cubicle_find(kinds[pool].window);
		long size = kinds[pool].pages * PAGE;
		if (pools[pool].base != NULL)
			continue;
		/* A pool whose users are all in one cubicle needs no window. */
		pools[pool].base = window < 0 ? aligned_alloc(PAGE, size) : cubicle_window_alloc(window, size);
	}
}

void *alloc_pages(int pool, long count)
{
	if (!known(pool) || count <= 0)
		return NULL;
	long page;
	if (count == 1 && pools[pool].number_free > 0) {
		page = pools[pool].free[--pools[pool].number_free];
		memset(pools[pool].base + page * PAGE, 0, PAGE);
	} else if (count <= kinds[pool].pages - pools[pool].fresh) {
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

long alloc_size(int pool) { return known(pool) ? kinds[pool].pages * PAGE : 0; }
