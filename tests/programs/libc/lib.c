#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int lib_sort(void)
{
	int values[1000];
	for (int i = 0; i < 1000; i++)
		values[i] = i * 7919 % 1000;
	qsort(values, 1000, sizeof *values, compare);
	for (int i = 0; i < 1000; i++)
		if (values[i] != i)
			return 1;
	int wanted = 500;
	return bsearch(&wanted, values, 1000, sizeof *values, compare) != &values[500];
}

int lib_environment(void)
{
	CHECK(strcmp(getenv("GIVEN"), "to all") == 0);
	CHECK(setenv("ONLY_LIB", "yes", 1) == 0);
	return strcmp(getenv("ONLY_LIB"), "yes");
}

static _Thread_local int counter = 7;
static _Thread_local int zero;

int lib_thread_local(int by)
{
	CHECK(zero == 0);
	return counter += by;
}

long lib_strtol(void)
{
	errno = 0;
	long value = strtol("99999999999999999999", NULL, 10);
	CHECK(value == 0x7fffffffffffffff && errno == ERANGE);
	CHECK(sqrt(2) > 1.414 && sqrt(2) < 1.415);
	CHECK(pow(2, 0.5) == sqrt(2));
	return strtol("0", NULL, 10);
}

int lib_locale(void)
{
	CHECK(setlocale(LC_ALL, "C") != NULL);
	struct tm tm;
	time_t when = 86400;
	CHECK(gmtime_r(&when, &tm) != NULL && tm.tm_mday == 2);
	char text[100];
	CHECK(strftime(text, sizeof text, "%Y-%m-%d", &tm) == 10 && strcmp(text, "1970-01-02") == 0);
	CHECK(getpid() > 0 && sysconf(_SC_PAGESIZE) == 4096);
	return 0;
}

void lib_print(void) { printf("lib: GIVEN is %s, %d %.3f %s\n", getenv("GIVEN"), 5, 3.25, "text"); }
