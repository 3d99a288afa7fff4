//! Heaps: each its own, and each with its own limit.
//@ stdout: done

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"

int lib_churn(int);
int lib_grow(void);
int lib_limit(void);
int lib_map_limit(void);
long lib_own_block(void);
int lib_has(long);

static void churn(void)
{
	enum { BLOCKS = 500 };
	static unsigned char *block[BLOCKS];
	static size_t size[BLOCKS];
	unsigned seed = 1;
	for (int round = 0; round < 20000; round++) {
		seed = seed * 1103515245 + 12345;
		int i = seed / 65536 % BLOCKS;
		if (block[i] != NULL) {
			CHECK(block[i][0] == (unsigned char)i && block[i][size[i] - 1] == (unsigned char)i);
			free(block[i]);
		}
		size[i] = 1 + seed / 7 % (round % 50 == 0 ? 300000 : 2000);
		block[i] = malloc(size[i]);
		CHECK(block[i] != NULL);
		memset(block[i], i, size[i]);
	}
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	malloc_trim(0);
}

static void grow(void)
{
	/* Beyond 128 KiB realloc is mremap. */
	char *block = malloc(1 << 20);
	memset(block, 'a', 1 << 20);
	for (size_t size = 2 << 20; size <= 64 << 20; size *= 2) {
		block = realloc(block, size);
		CHECK(block != NULL);
		CHECK(block[0] == 'a' && block[size / 2 - 1] == 'a');
		memset(block + size / 2, 'a', size / 2);
	}
	block = realloc(block, 1 << 20);
	CHECK(block != NULL && block[(1 << 20) - 1] == 'a');
	free(block);
}

int main(void)
{
	churn();
	grow();
	/* First, because what malloc keeps for later counts, too. */
	CHECK(lib_map_limit() == 0);
	CHECK(lib_churn(3) == 0);
	CHECK(lib_grow() == 0);
	CHECK(lib_limit() == 0);
	/* The library is at its limit, the program is not. */
	long block = lib_own_block();
	char *mine = malloc(32 << 20);
	CHECK(mine != NULL);
	memset(mine, 1, 32 << 20);
	free(mine);
	CHECK(lib_has(block));
	puts("done");
}
