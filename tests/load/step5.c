#include "work.h"
#include "steps.h"

STEP(5) { return work(5, 1, through_gates, seed, depth, fails, data, size); }
