#include <stdio.h>
#include <string.h>

static long secret = 77;

long lib_secret(void) { return (long)&secret; }

/* None of these gets anything that an expectation does not name. */
int take(const char *data, size_t size) { return size ? data[0] : -1; }
void give(char *data, size_t size) { memset(data, 'g', size); }
long text(const char *text)
{
	printf("lib got %s\n", text);
	return 0;
}
int many(const char *data, size_t a, size_t b) { return printf("lib got %d %zu %zu\n", data[0], a, b); }
int counted(const char *data, size_t *size) { return printf("lib got %d %zu\n", data[0], *size); }
