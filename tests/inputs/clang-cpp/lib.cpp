#include "shared.h"
int answer(int n) { return next<int>(next<int>(n)); }
