#include "work.h"
#include "steps.h"

STEP(4) { return work(4, 0, through_gates, seed, depth, fails, data, size); }
