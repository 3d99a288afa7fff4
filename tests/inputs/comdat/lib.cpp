#include "shared.h"
int answer(int n) { return next<int>(plus(n)) + other(0); }
