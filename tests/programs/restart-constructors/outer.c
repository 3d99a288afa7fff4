#include <stddef.h>
#include "libs.h"

static long value;

__attribute__((constructor)) static void ask(void) { value = 2 * inner_value(); }

long outer_value(void) { return value; }

long outer_fails(void) { return *(volatile long *)NULL; }
