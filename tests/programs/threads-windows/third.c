#include "adds.h"

void third_adds(long *at, int times)
{
	for (int i = 0; i < times; i++)
		__atomic_add_fetch(at, 1, __ATOMIC_RELAXED);
}
