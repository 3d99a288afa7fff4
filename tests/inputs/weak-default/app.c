#include <stdio.h>
int answer(int);
int main(void)
{
	printf("%d lib\n", answer(41));
}
