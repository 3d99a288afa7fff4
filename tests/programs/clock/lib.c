#include <errno.h>
#include <time.h>

int lib_clock(long seconds)
{
	struct timespec now;
	for (int i = 0; i < 1000; i++) {
		if (clock_gettime(CLOCK_REALTIME, &now) != 0)
			return errno;
		if (now.tv_sec < seconds || now.tv_sec > seconds + 60)
			return -1;
		if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
			return errno;
	}
	return 0;
}

int lib_sleep(void)
{
	/* What clock_gettime would be without the vDSO: not granted. */
	struct timespec short_time = { 0, 1 };
	return clock_nanosleep(CLOCK_MONOTONIC, 0, &short_time, NULL);
}
