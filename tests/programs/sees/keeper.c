#define PEER keeper
#include "peer.h"
