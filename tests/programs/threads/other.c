#include "threads.h"

long other_double(long value) { return 2 * value; }
