#include <stdlib.h>
#include <string.h>

static char secret[4096] __attribute__((aligned(4096))) = "secret";
static char *heap;

long vault_static(void) { return (long)secret; }

long vault_heap(void)
{
	if (heap == NULL) {
		heap = aligned_alloc(4096, 1 << 20);
		strcpy(heap, "secret");
	}
	return (long)heap;
}

long vault_code(void) { return (long)vault_heap & -4096; }
int vault_intact(void) { return strcmp(secret, "secret") == 0 && strcmp(heap, "secret") == 0; }
