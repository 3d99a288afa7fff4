#include "work.h"
#include "steps.h"

STEP(3) { return work(3, 0, through_gates, seed, depth, fails, data, size); }
