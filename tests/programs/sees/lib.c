#define PEER lib
#include "peer.h"
