#include <errno.h>
#include <poll.h>
#include "check.h"
#include "lib.h"

long other_polls(int descriptor)
{
	struct pollfd wanted = {descriptor, POLLIN, 0};
	int found = poll(&wanted, 1, -1);
	CHECK(found == 1 && errno != EINTR);
	return 1;
}
