/* Every other process. */

#include "transport.h"

int main(void) { transport_serve(PROCESS); }
