#include <stddef.h>

typedef void function(void);

void lib_fill(char *at, size_t size, function *call);
/* A page that app may read, and not write. */
char *vault_shows(void);
int vault_value(void);
