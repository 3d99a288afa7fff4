/* It sees its caller's memory. */

#include "define.h"

DEFINE_PAIR(seeing, 4)
