#include <stdio.h>
int answer(int);
int hook(void) { return 1; }
int main(void)
{
	printf("%d app\n", answer(41));
}
