#include "work.h"
#include "steps.h"

STEP(2) { return work(2, 0, through_gates, seed, depth, fails, data, size); }
