/* Time, from the kernel's clocks. */

#include "clock.h"
#include "os.h"

#include <time.h>

PART_CALLS(clock)

long clock_milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

long clock_of_tick(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec;
}

void clock_sleep(long microseconds)
{
	struct timespec time = { microseconds / 1000000, microseconds % 1000000 * 1000 };
	nanosleep(&time, NULL);
}
