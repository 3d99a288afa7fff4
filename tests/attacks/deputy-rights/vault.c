#include <string.h>

static char secret[16] = "secret";

long vault_address(void) { return (long)secret; }
int vault_intact(void) { return strcmp(secret, "secret") == 0; }
