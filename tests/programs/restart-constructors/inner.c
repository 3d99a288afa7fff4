#include <stddef.h>
#include "libs.h"

long inner_value(void) { return 21; }

long inner_fails(void) { return *(volatile long *)NULL; }
