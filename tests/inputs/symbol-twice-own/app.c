#include <stdio.h>
int answer(int);
int helper(void) { return 7; }
int main(void)
{
	printf("%d\n", answer(41));
	printf("%d\n", helper());
}
