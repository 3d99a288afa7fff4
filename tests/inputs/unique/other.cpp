#include "shared.h"
int other() { return count(); }
