#include <stdio.h>
int answer(int);
_Thread_local int number = 7;
int main(void)
{
	int first = answer(20), second = answer(21);
	printf("%d %d %d\n", first + 22, second, number);
}
