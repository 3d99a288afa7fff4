#include <stdio.h>

int far_1(int value);
int far_2(int value);
int far_3(int value);
int far_4(int value);
int far_5(int value);

int main(void)
{
	printf("%d\n", far_1(1) + far_2(2) + far_3(3) + far_4(4) + far_5(5));
	return 0;
}
