#include <string.h>
#include "check.h"

typedef int function(int);

static int stolen(int n) { return n; }

/* The gate to which a stub jumps. */
static long behind(long address)
{
	int distance;
	memcpy(&distance, (char *)address + 6, sizeof distance);
	return address + 10 + distance;
}

static int enter(long gate, unsigned long slot, int n)
{
	int result;
	__asm__ volatile("call *%1" : "=a"(result) : "r"(gate), "a"(slot), "D"(n)
		: "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");
	return result;
}

int lib_attack(function *call, const char *what, long address)
{
	long stub = (long)call;
	/* Of the callback, in whose first slot the function is. */
	long table = 0x3a00000 + (stub - 0x3c00000) / 4096 * 2048;
	if (strcmp(what, "call") == 0)
		return call(7);
	if (strcmp(what, "enter") == 0)
		return enter(behind(stub), 0, 7);
	if (strcmp(what, "empty-slot") == 0)
		return ((function *)(stub + 16))(7);
	if (strcmp(what, "last-slot") == 0)
		return ((function *)(stub + 16 * 255))(7);
	if (strcmp(what, "behind-table") == 0)
		return enter(behind(stub), 256, 7);
	if (strcmp(what, "huge-slot") == 0)
		return enter(behind(stub), 0xffffffffUL, 7);
	if (strcmp(what, "others-stub") == 0)
		return ((function *)address)(7);
	if (strcmp(what, "raw") == 0)
		return ((function *)address)(7);
	if (strcmp(what, "read-table") == 0)
		return *(long *)table == address && ((long *)table)[1] == 0;
	if (strcmp(what, "write-table") == 0) {
		((long *)table)[1] = (long)stolen;
		return ((function *)(stub + 16))(7);
	}
	if (strcmp(what, "write-stub") == 0)
		*(char *)stub = 0;
	if (strcmp(what, "run-table") == 0)
		return ((function *)table)(7);
	return -1;
}
