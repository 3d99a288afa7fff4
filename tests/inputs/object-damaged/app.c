#include <stdio.h>
int answer(int);
int main(void)
{
	printf("%d\n", answer(41));
}
