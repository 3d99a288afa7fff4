#include "all.h"
double plain_number(long n, double f) { return n * f; }
