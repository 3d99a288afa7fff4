#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>
#include "guest.h"

int third_get(const char *at) { return *(const volatile char *)at; }
long third_break(const char *at) { return syscall(SYS_brk, at); }
void third_put(char *at, int value) { *(volatile char *)at = (char)value; }

long third_sum_lent(const unsigned char *at, size_t size)
{
	long sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += at[i];
	return sum;
}

void third_fill_lent(char *at, int value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (char)value;
}
