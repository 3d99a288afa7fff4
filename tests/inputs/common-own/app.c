#include <stdio.h>
int answer(int);
static int number = 7;
int main(void)
{
	printf("%d %d\n", answer(41), number);
}
