#include <stdio.h>
#include "gate.h"
int main(void)
{
	struct wide made = widest(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22);
	printf("%.0f\n", made.a);
}
