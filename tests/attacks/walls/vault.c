#include <string.h>

static char secret[16] = "secret";

long vault_address(void) { return (long)secret; }
long vault_code(void) { return (long)vault_code & -4096; }
