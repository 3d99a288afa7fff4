#include <stdio.h>
int enter(int, int);
int main(void)
{
	printf("%d\n", enter(12, 15));
	return 0;
}
