#include "lib.h"

static const char secret[64] = "secret";

void other_sets(void) { lib_set(1, secret); }
