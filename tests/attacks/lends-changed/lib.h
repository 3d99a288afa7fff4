#include <stddef.h>

struct request { char *data; size_t size; };

typedef void (*hook)(void);

int lib_process(struct request *request, hook hook);
int lib_fill(char *destination, unsigned long *length, hook hook);
int lib_read(const char *text, hook hook);
