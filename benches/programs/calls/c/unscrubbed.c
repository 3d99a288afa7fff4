/* Sees nobody and is seen by nobody; its gates leave vector registers alone. */

#include "define.h"

DEFINE_PAIR(unscrubbed, 11)
