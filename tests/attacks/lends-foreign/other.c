#include <stdlib.h>

static long secret = 0x7465726373;
static const char constant[8] = "foreign";

long other_secret(void) { return (long)&secret; }
long other_value(void) { return secret; }
long other_heap(void) { return (long)malloc(10); }
long other_constant(void) { return (long)constant; }
