#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

int join(pthread_t thread)
{
	return pthread_join(thread, 0);
}

int set(pthread_key_t key)
{
	return pthread_setspecific(key, 0);
}

int format(char *text, const char *form, va_list values)
{
	return vsnprintf(text, 64, form, values);
}
