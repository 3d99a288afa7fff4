#define _GNU_SOURCE
#include <sys/mman.h>

/* The stack that the image started on lies lowest: is what lies below it kept
 * free? A hint alone is no permission, and MAP_FIXED neither. */
int lib_guard(void)
{
	long arena = (long)__builtin_frame_address(0) & ~((1L << 36) - 1);
	char *guard = (char *)(arena + (16L << 30));
	for (int i = 0; i < 100; i++)
		if (mmap(guard, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == guard)
			return 1;
	if (mmap(guard, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
		return 2;
	return mprotect(guard, 4096, PROT_READ) == 0 ? 3 : 0;
}

int lib_deep(int n)
{
	volatile char space[1000];
	space[0] = 1;
	return n == 0 ? 0 : lib_deep(n - 1) + space[0];
}
