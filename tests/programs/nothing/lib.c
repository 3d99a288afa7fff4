#include <stdlib.h>
#include <string.h>

/* What the kernel, or who stands in its place, answers. */
long lib_ask(long number, long argument)
{
	long result;
	register long r10 __asm__("r10") = argument, r8 __asm__("r8") = argument, r9 __asm__("r9") = argument;
	__asm__ volatile("nop\n nop\n syscall" : "=a"(result) : "a"(number), "D"(argument), "S"(argument),
		"d"(argument), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}

/* It can compute and allocate. */
int lib_works(void)
{
	long sum = 0;
	for (int round = 0; round < 3; round++) {
		char *memory = malloc(1 << 20);
		memset(memory, round, 1 << 20);
		sum += memory[12345];
		free(memory);
	}
	return sum == 3;
}
