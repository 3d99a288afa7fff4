//! A library whose constructor calls another one starts anew, together with that one or alone, and on a
//! thread other than the first.
//@ stdout: sum 42
//@ stdout: failed -1, then 42
//@ stdout: both failed -1 -1, then 42
//@ stdout: on another thread: failed -1 -1, then 42
//@ restarts: 5

#include <pthread.h>
#include "check.h"
#include "libs.h"

static void *both(void *nothing)
{
	printf("on another thread: failed %ld", outer_fails());
	printf(" %ld", inner_fails());
	printf(", then %ld\n", outer_value());
	return nothing;
}

int main(void)
{
	pthread_t thread;
	printf("sum %ld\n", outer_value());
	printf("failed %ld", outer_fails());
	printf(", then %ld\n", outer_value());
	printf("both failed %ld", outer_fails());
	printf(" %ld", inner_fails());
	printf(", then %ld\n", outer_value());
	CHECK(pthread_create(&thread, NULL, both, NULL) == 0 && pthread_join(thread, NULL) == 0);
	return 0;
}
