/* The caller's own: no gate. */

#include "define.h"

DEFINE_PAIR(own, 5)
