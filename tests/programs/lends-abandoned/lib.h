#include <stddef.h>

typedef void function(void);

void lib_fill(char *to, size_t size, function *call);
void third_look(const char *at, size_t size, function *call);
