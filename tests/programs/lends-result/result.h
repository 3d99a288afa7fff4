#include <stddef.h>

struct pair { const char *text; size_t size; };
struct object { int number; char name[20]; struct object *next; };

const char *find(const char *text, char letter);
const char *find_in(const struct pair *pair, char letter);
const char *wrong(const char *text, const char *other);
const char *first(const char *text, const char *other);
const char *copy_name(int number);
const int *table(int wanted, unsigned *count);
const struct object *object(int number);
void *opaque(int number);
int opaque_number(void *it);
long read_some(char *data, long size, long wanted);
unsigned read_items(void *data, unsigned size, unsigned count);
long lib_text(void);
const char *chosen(long address);
const int *chosen_table(long address, long count);
