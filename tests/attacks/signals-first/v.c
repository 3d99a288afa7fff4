#include <string.h>
#include "attack.h"

static int spins;
static char data[1 << 16];

void v_spin(void)
{
	__atomic_store_n(&spins, 1, __ATOMIC_SEQ_CST);
	for (;;)
		__asm__ volatile("");
}

int v_spins(void) { return __atomic_load_n(&spins, __ATOMIC_SEQ_CST); }

long v_data(void) { return (long)(data + sizeof data / 2); }

long v_filled(void)
{
	long filled = 0;
	for (unsigned i = 0; i < sizeof data; i++)
		filled += ((volatile char *)data)[i] != 0;
	return filled;
}

long v_takes(int byte)
{
	volatile char local[256];
	for (unsigned i = 0; i < sizeof local; i++)
		local[i] = (char)byte;
	return local[5];
}
