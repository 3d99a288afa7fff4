#include <vector>
#include "lib.h"

extern "C" long two_work(long value, int depth)
{
	std::vector<long> values(100, value);
	values.resize(200, depth);
	return depth == 0 ? three_work(values[99]) : one_work(values[99] + 1, (int)values[199] - 1);
}
