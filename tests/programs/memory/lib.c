#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"

int lib_churn(int times)
{
	for (int i = 0; i < times; i++)
		for (int size = 1; size < 1 << 20; size *= 2) {
			char *block = malloc(size);
			if (block == NULL)
				return size;
			memset(block, i, size);
			free(block);
		}
	return 0;
}

int lib_grow(void)
{
	char *block = malloc(200 << 10);
	memset(block, 'b', 200 << 10);
	/* Moving needs no more than the new size for a moment. */
	block = realloc(block, 1 << 20);
	CHECK(block != NULL && block[(200 << 10) - 1] == 'b');
	free(block);
	return 0;
}

int lib_limit(void)
{
	static void *blocks[4096];
	int count = 0;
	while (count < 4096 && (blocks[count] = malloc(16 << 10)) != NULL) {
		memset(blocks[count], 1, 16 << 10);
		count++;
	}
	CHECK(errno == ENOMEM);
	CHECK(count > 100 && count * (16 << 10) <= 4 << 20);
	CHECK(malloc(8 << 20) == NULL);
	while (count > 0)
		free(blocks[--count]);
	void *again = malloc(1 << 20);
	CHECK(again != NULL);
	free(again);
	return 0;
}

int lib_map_limit(void)
{
	size_t page = 4096;
	/* Address space alone is free, memory is not. */
	char *space = mmap(NULL, 1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(space != MAP_FAILED);
	CHECK(mprotect(space, 64 << 20, PROT_READ | PROT_WRITE) == -1 && errno == ENOMEM);
	CHECK(mprotect(space, page, PROT_READ | PROT_WRITE) == 0);
	space[page - 1] = 1;
	CHECK(mprotect(space, page, PROT_NONE) == 0);
	CHECK(mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
	CHECK(munmap(space, 1 << 30) == 0);
	/* What is given back can be had again, and is empty. */
	for (int i = 0; i < 100; i++) {
		char *part = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(part != MAP_FAILED && part[0] == 0 && part[(1 << 20) - 1] == 0);
		memset(part, 'x', 1 << 20);
		CHECK(munmap(part, 1 << 20) == 0);
	}
	return 0;
}

static char *own;

long lib_own_block(void)
{
	own = malloc(100);
	strcpy(own, "mine");
	return (long)own;
}

int lib_has(long block) { return block == (long)own && strcmp(own, "mine") == 0; }
