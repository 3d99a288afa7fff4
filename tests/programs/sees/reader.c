#define PEER reader
#include "peer.h"
