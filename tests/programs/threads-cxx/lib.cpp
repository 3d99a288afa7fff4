#include <stdexcept>
#include "lib.h"

static thread_local long calls;

/* An exception inside of each call, caught here. */
extern "C" long one_work(long value, int depth)
{
	calls++;
	try {
		if (value % 3 == 0)
			throw std::runtime_error("three");
		return depth == 0 ? value : two_work(value + 1, depth - 1);
	} catch (const std::runtime_error &) {
		return depth == 0 ? value : two_work(value + 1, depth - 1);
	}
}
