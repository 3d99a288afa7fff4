#include <stdbool.h>

struct large { long word[9]; };
struct pair { long a, b; };
struct mixed { long a; double b; };
struct floats { double a, b; };
struct small { char c[3]; };
union number { long integer; double real; };

int none(void);
long one(long);
long two(long, long);
long three(long, long, long);
long four(long, long, long, long);
long five(long, long, long, long, long);
long six(long, long, long, long, long, long);
long seven(long, long, long, long, long, long, long);
long ten(long, int, short, signed char, long, long, int, short, signed char, long);
double doubles(double, double, double, double, double, double, double, double, double, double);
double fourteen(long, double, int, float, long, double, char, double, long, float, short, double, long, double);
long many(long, long, long, long, long, long,
	long, long, long, long, long, long, long, long, long, long,
	long, long, long, long, long, long, long, long, long, long,
	long, long, long, long, long, long);
long by_value(int, struct large, int);
long by_value_twice(struct large, struct large, struct large, long);
struct large make_large(long);
struct pair make_pair(long, long);
struct mixed make_mixed(long, double);
struct floats make_floats(double, double);
struct small make_small(char);
struct large change_large(struct large, long);
double take_mixed(struct mixed, struct floats, struct pair, struct small);
long take_union(union number);
int long_double(int, long double, double);
int format(int count, double scale, ...);
bool is_negative(int);
signed char narrow(int);
unsigned char narrow_unsigned(int);
short sum_signs(signed char, short, bool);
float single(float, float);
void clobber(void);
void nothing(int);
long back(long);
void rounding(void);
__int128 wide(__int128, long);
