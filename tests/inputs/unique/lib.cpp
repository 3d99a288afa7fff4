#include "shared.h"
int counted() { return count() * other(); }
