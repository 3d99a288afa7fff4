#include <stddef.h>

struct large { long word[9]; };
struct pair { long a, b; };
struct mixed { long a; double b; };

typedef int plain_function(int);
typedef long user_function(void *user, long);
typedef double float_function(double, float, long, double);
typedef long nine_function(long, long, long, long, long, long, long, long, long);
typedef long twelve_function(long, long, long, long, long, long, long, long, long, long, long, double);
typedef struct large large_function(long);
typedef struct mixed mixed_function(struct pair, double);
typedef long by_value_function(int, struct large, int);
typedef void text_function(const char *text, long length, char *answer, long room);
typedef int compare_function(const void *, const void *);
typedef long deeper_function(plain_function *, int);

int lib_apply(plain_function *call, int n);
int lib_apply_many(plain_function *call, int times);
long lib_each(user_function *call, void *user, long count);
double lib_floats(float_function *call);
long lib_nine(nine_function *call);
long lib_twelve(twelve_function *call);
long lib_large(large_function *call);
double lib_mixed(mixed_function *call);
long lib_by_value(by_value_function *call);
long lib_text(text_function *call);
void lib_sort(int *numbers, size_t count, compare_function *compare);
long lib_call_deeper(deeper_function *call, int n);

/* The library remembers one function. */
void lib_keep(plain_function *call);
int lib_call_kept(int n);
plain_function *lib_kept(void);
int lib_keeps(plain_function *call);
int lib_same(plain_function *one, plain_function *other);
long lib_word(plain_function *call);

/* A function of the library's own. */
plain_function *lib_own(void);
int lib_is_own(plain_function *call);

/* Recursion from both sides. */
long lib_down(user_function *call, void *user, long n);
