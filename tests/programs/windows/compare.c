#include "compare.h"
#include "guest.h"

int compare_registers(const char *at) { return compare_registers_at(at); }
