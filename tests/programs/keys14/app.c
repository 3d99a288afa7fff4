//! Fourteen cubicles, one for each key: every one works, and none can read
//! another's.
//@ run:
//@ stdout: 1950
//@ run: read
//@ violation: kind=access cubicle=c12 owner=c0 place=data access=read
//@[pku] violation: kind=access cubicle=c12 owner=c0 place=data access=read key=3

#include "check.h"

long part0(long);
long part1(long);
long part2(long);
long part3(long);
long part4(long);
long part5(long);
long part6(long);
long part7(long);
long part8(long);
long part9(long);
long part10(long);
long part11(long);
long part12(long);

int main(int count, char **arguments)
{
	(void)arguments;
	long sum = 0;
	sum += part0(0);
	sum += part1(0);
	sum += part2(0);
	sum += part3(0);
	sum += part4(0);
	sum += part5(0);
	sum += part6(0);
	sum += part7(0);
	sum += part8(0);
	sum += part9(0);
	sum += part10(0);
	sum += part11(0);
	sum += part12(0);
	if (count > 1) {
		/* 0 asks for the value, 1 for its address. */
		long secret = part0(1);
		sum += part12(secret);
	}
	printf("%ld\n", sum);
}
