#include <stdio.h>
__attribute__((weak)) int nobody(void);
__attribute__((weak)) int answer(int);
int main(void)
{
	printf("%s %d\n", nobody ? "there" : "absent", answer ? answer(41) : 0);
}
