#include <stdio.h>
int answer(int);
int other(int);
int main(void)
{
	printf("%d %d\n", answer(41), other(41));
}
