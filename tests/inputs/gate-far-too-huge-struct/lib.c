#include "gate.h"
long last(struct huge huge) { return huge.words[HUGE - 1]; }
