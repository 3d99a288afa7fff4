#include <stdio.h>
int number;
int answer(int);
int main(void)
{
	number = 1;
	printf("%d\n", answer(41));
}
