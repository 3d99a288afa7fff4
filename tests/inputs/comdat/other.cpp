#include "shared.h"
int other(int n) { return next<int>(plus(n)) - 2; }
