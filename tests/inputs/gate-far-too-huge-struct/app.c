#include "gate.h"
struct huge huge;
int main(void) { return last(huge); }
