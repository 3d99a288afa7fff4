#include <stdio.h>
int answer(int);
static int number;
__attribute__((constructor)) static void start(void) { number = 40; }
int main(void)
{
	printf("%d\n", answer(number));
}
