/* Its caller sees its memory. */

#include "define.h"

DEFINE_PAIR(seen, 3)
