#include "all.h"
long seen_number(long n) { return n + 1; }
long seen_apply(long (*call)(long), long n) { return call(n); }
