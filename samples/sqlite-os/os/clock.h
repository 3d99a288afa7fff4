/* Time. */

#ifndef CLOCK_H
#define CLOCK_H

/* Milliseconds since 1970. */
long clock_milliseconds(void);

/* Seconds since 1970, for the times of files: of the last tick, which is cheaper. */
long clock_of_tick(void);

void clock_sleep(long microseconds);

long clock_calls(int callee);

#endif
