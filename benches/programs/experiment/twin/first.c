/* The process that has the program: starts the others before `main`. PROCESSES is their number. */

#include "transport.h"

__attribute__((constructor)) static void start(void) { transport_start(PROCESSES); }
