#include "registers.h"

struct registers found __attribute__((used));

__attribute__((naked)) void lib_look(void)
{
	__asm__(FIND "ret");
}

__attribute__((naked)) void lib_leave(void)
{
	__asm__(FILL "ret");
}

int lib_secrets(void) { return secrets(&found); }
