#include <string.h>
#include "lib.h"

static long secret = 42;

void lib_wipe(void *at) { memset(at, 0, 8); }
void lib_release(void *user, release_function *release) { release(user); }
long lib_secret(void) { return (long)&secret; }
long lib_value(void) { return secret; }
