#include <pthread.h>
#include <stdio.h>

void keep(FILE *stream, pthread_t thread);
void *kept(void);

int main(void)
{
	keep(stdout, pthread_self());
	return fprintf(kept(), "mine\n") < 0;
}
