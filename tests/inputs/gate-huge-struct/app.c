#include <stdio.h>
#include "gate.h"
int main(void)
{
	struct huge huge = { { 0 } };
	huge.words[HUGE - 1] = 1;
	printf("%ld\n", last(huge));
}
