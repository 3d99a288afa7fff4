//! Five cubicles in a row; the last one sees all calls that are pending.
//@ run: 3
//@ stdout: 2507
//@ run: 0
//@ violation: kind=crash cubicle=e chain=b_link,c_link,d_link,e_link access=read owner=null place=unmapped
//@ signal: 11

#include <stdlib.h>
#include "check.h"

long b_link(long);

int main(int count, char **arguments)
{
	printf("%ld\n", b_link(count > 1 ? atol(arguments[1]) : 0) + 1000);
}
