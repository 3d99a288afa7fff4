#include "vault.h"

/* What the kernel would take for the words of a robust mutex, if it looked. */
static unsigned words[16] = { 1, 2, 3, 4, 5, 6, 7, 8 };

unsigned long vault_address(void) { return (unsigned long)&words[4]; }
void vault_put(unsigned value) { words[4] = value; }
unsigned vault_get(void) { return words[4]; }
