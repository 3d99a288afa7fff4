#include <stddef.h>

struct point { int x, y; double weight; };

long sum_bytes(const unsigned char *data, size_t size);
long sum_longs(const long *data, int count);
long scribble(unsigned char *data, size_t size);
void fill(char *data, size_t size);
void fill_some(char *data, size_t size, size_t *used);
int fill_capacity(char *data, unsigned *size);
void increment(int *data, int count);
long length(const char *text);
double move_point(struct point *point);
long matrix(const short *data, long rows, int columns);
long eight(long a, long b, long c, long d, long e, long f, const long *g, long *h);
void grow_length(char *data, size_t size, size_t *used);
long pass_on(char *data, size_t size);
long app_change(char *data, size_t size);
long nest(char *data, size_t size, int depth);
long app_nest(char *data, size_t size, int depth);
long touch_twice(char *data, size_t size);
long app_touch(char *data, size_t size);
long pull_away(char *data, size_t size);
long app_pull_away(char *data, size_t size);
