#include <stdlib.h>
#include <string.h>

static char in_data[16] = "secret data";
static char in_bss[16];
static const char in_constants[16] = "no secret";
static _Thread_local char in_tls[16] = "secret tls";
static char *on_heap, *big;

long vault_address(int what)
{
	char on_stack[16] = "secret stack";
	long frame = (long)on_stack & ~((1L << 36) - 1);
	if (on_heap == NULL) {
		on_heap = strdup("secret heap");
		big = strcpy(malloc(1 << 20), "secret map");
	}
	switch (what) {
	case 0: return (long)in_data;
	case 1: return (long)in_bss;
	case 2: return (long)in_constants;
	case 3: return (long)in_tls;
	case 4: return (long)on_heap;
	case 5: return (long)big;
	case 6: return (long)on_stack;
	case 7: return frame;
	case 8: return (long)vault_address;
	/* The stack that the image started on. */
	case 9: return frame + (16L << 30) + 8192;
	}
	return 0;
}

int vault_intact(void)
{
	return strcmp(in_data, "secret data") == 0 && in_bss[0] == 0 && strcmp(in_tls, "secret tls") == 0 &&
		strcmp(on_heap, "secret heap") == 0 && strcmp(big, "secret map") == 0;
}
