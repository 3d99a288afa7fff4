#include "work.h"
#include "steps.h"

STEP(6) { return work(6, 1, through_gates, seed, depth, fails, data, size); }
