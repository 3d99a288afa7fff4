/* Functions that do or do not reach a use of FS (or of x87). Each line that
 * begins with "FS", "no FS", "x87" or "no x87" below is an expectation that
 * cargo-cubicle/tests/reach.rs checks.
 *
 * FS: uses_errno uses_tls uses_printf uses_malloc calls_pointer tail_pointer through_two recursive_with_tls
 * FS: main table_of_mixed variable_table calls_mixed_choice calls_escaped calls_records_mixed calls_overwritten
 * FS: calls_parameter calls_indexed calls_neighbour
 * no FS: add uses_memcpy uses_strlen uses_switch uses_dense_switch uses_float recursive calls_both_clean
 * no FS: calls_choice calls_operations calls_records calls_null
 * no FS: table_of_clean uses_long_double uses_memset uses_strings
 * x87: uses_long_double calls_pointer uses_mmx
 * no x87: add uses_memcpy uses_switch uses_float recursive uses_tls
 */
#include <errno.h>
#include <mmintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone, used))

static __thread int counter;
int (*volatile pointer)(int);
int (*variable[3])(int);

NOINLINE int add(int a, int b) { return a + b; }
NOINLINE int uses_errno(int a) { errno = a; return a; }
NOINLINE int uses_tls(int a) { return counter += a; }
NOINLINE int uses_printf(int a) { return printf("%d\n", a); }
NOINLINE void *uses_malloc(size_t n) { return malloc(n); }
NOINLINE int calls_pointer(int a) { return pointer(a) + 1; }
NOINLINE int tail_pointer(int a) { return pointer(a); }
NOINLINE int through_two(int a) { return add(a, uses_errno(a)); }
NOINLINE void *uses_memcpy(void *to, const void *from, size_t n) { return memcpy(to, from, n); }
NOINLINE void *uses_memset(void *to, int c, size_t n) { return memset(to, c, n); }
NOINLINE size_t uses_strlen(const char *s) { return strlen(s) + 1; }
NOINLINE int uses_strings(const char *s, const char *t) {
    return strcmp(s, t) + (strchr(s, 'x') != 0) + memcmp(s, t, 3) + (memchr(s, 1, 9) != 0);
}
NOINLINE double uses_float(double a, float b) { return a * b + 0.5; }
NOINLINE long double uses_long_double(long double a) { return a * 2; }
NOINLINE int uses_mmx(int a) { __m64 v = _mm_cvtsi32_si64(a); int r = _mm_cvtsi64_si32(_mm_add_pi16(v, v)); _mm_empty(); return r; }
NOINLINE int recursive(int a) { return a < 2 ? 1 : recursive(a - 1) * recursive(a - 2) + add(a, a); }
NOINLINE int recursive_with_tls(int a) { return a < 2 ? counter : recursive_with_tls(a - 1) + recursive_with_tls(a - 2); }
NOINLINE int calls_both_clean(int a) { return add(a, 1) + recursive(a); }

NOINLINE int uses_switch(int a, int *p) {
    switch (a) {
    case 0: return p[3] * 7;
    case 1: *p = 4; return 9;
    case 2: return add(*p, 5);
    case 3: p[1] ^= p[2]; return 1;
    case 4: return p[8] - 3;
    case 5: p[4]++; return p[5];
    case 6: return p[6] << 3;
    case 7: return -p[7];
    default: return 0;
    }
}

NOINLINE int uses_dense_switch(const unsigned char *code, int n) {
    int a = 0;
    for (int i = 0; i < n; i++)
        switch (code[i]) {
        case 'a': a++; break;
        case 'b': a *= 3; break;
        case 'c': a ^= n; break;
        case 'd': a = add(a, i); break;
        case 'e': a <<= 1; break;
        case 'f': a -= code[i + 1]; break;
        case 'g': return a;
        }
    return a;
}

static NOINLINE int clean_one(int a) { return a + 1; }
static NOINLINE int clean_two(int a) { return a * 2; }
static int (*const clean[2])(int) = { clean_one, clean_two };
static int (*const mixed[2])(int) = { clean_one, uses_tls };
NOINLINE int table_of_clean(unsigned a) { return clean[a & 1](3) + 1; }
NOINLINE int table_of_mixed(unsigned a) { return mixed[a & 1](3) + 1; }
NOINLINE int variable_table(unsigned a) { return variable[a & 1](3) + 1; }

/* Variables that hold functions. */
typedef int (*function)(int);
static NOINLINE int clean_three(int a) { return a ^ 5; }

function choice = clean_one;
NOINLINE void choose(void) { choice = clean_two; }
NOINLINE void choose_later(int a) { if (a) choice = clean_three; }
NOINLINE int calls_choice(int a) { return choice(a) + 1; }

function mixed_choice = clean_one;
NOINLINE void choose_mixed(void) { mixed_choice = uses_tls; }
NOINLINE int calls_mixed_choice(int a) { return mixed_choice(a) + 1; }

struct operations { const char *name; function open, close; };
struct operations operations = { "first", clean_one, clean_two };
NOINLINE void operate(void) { operations.open = clean_three; operations.name = "second"; }
NOINLINE int calls_operations(int a) { return operations.open(a) + operations.close(a); }

/* Whoever has its address may store anything there. */
struct operations escaped = { "first", clean_one, clean_two };
NOINLINE void fill(struct operations *what, function with) { what->close = with; }
NOINLINE void let_escape(void) { fill(&escaped, uses_errno); }
NOINLINE int calls_escaped(int a) { return escaped.open(a) + 1; }

function overwritten = clean_one;
NOINLINE void overwrite(void *with) { overwritten = (function)with; }
NOINLINE int calls_overwritten(int a) { return overwritten(a) + 1; }

function parameter = clean_one;
NOINLINE void choose_parameter(function with) { parameter = with; }
NOINLINE int calls_parameter(int a) { return parameter(a) + 1; }

struct operations several[2] = { { "first", clean_one, clean_two } };
NOINLINE void store_indexed(unsigned a) { several[a & 1].close = uses_tls; }
NOINLINE int calls_indexed(int a) { return several[0].close(a) + 1; }

/* Both are stored over, perhaps by one instruction. */
struct { function first, second; } neighbours = { clean_one, clean_two };
NOINLINE void store_both(const void *from) { memcpy(&neighbours, from, sizeof neighbours); }
NOINLINE int calls_neighbour(int a) { return neighbours.first(a) + 1; }

function nothing;
NOINLINE int calls_null(int a) { return nothing ? nothing(a) : a; }

struct record { short a, b, c, d; function run; };
static const struct record records[3] = {
    { 1, 2, 3, 4, clean_one }, { 4, 5, 6, 7, clean_two }, { 7, 8, 9, 1, clean_three }
};
static const struct record records_mixed[2] = { { 1, 2, 3, 4, clean_one }, { 4, 5, 6, 7, uses_tls } };
NOINLINE int calls_records(unsigned a) { return records[a % 3].run(records[a % 3].b) + 1; }
NOINLINE int calls_records_mixed(unsigned a) { return records_mixed[a & 1].run(3) + 1; }

static NOINLINE int variables(int argc) {
    choose();
    choose_later(argc);
    choose_mixed();
    operate();
    let_escape();
    overwrite(argc > 1 ? (void *)clean_one : (void *)uses_tls);
    choose_parameter(uses_tls);
    store_indexed(argc);
    store_both(&escaped.open);
    return calls_choice(argc) + calls_mixed_choice(argc) + calls_operations(argc) + calls_escaped(argc) +
        calls_overwritten(argc) + calls_parameter(argc) + calls_indexed(argc) + calls_neighbour(argc) +
        calls_null(argc) + calls_records(argc) + calls_records_mixed(argc);
}

int main(int argc, char **argv) {
    argc += variables(argc);
    char buffer[64];
    pointer = argc > 1 ? uses_errno : recursive;
    variable[0] = variable[1] = recursive;
    uses_memcpy(buffer, argv[0], argc);
    uses_memset(buffer, argc, 8);
    printf("%f\n", uses_float(argc, 2) + (double)uses_long_double(argc) + uses_mmx(argc));
    free(uses_malloc(10));
    return uses_switch(argc, (int *)buffer) + uses_dense_switch((unsigned char *)buffer, argc) +
        uses_strings(buffer, argv[0]) + (int)uses_strlen(buffer) + calls_both_clean(argc) +
        through_two(argc) + tail_pointer(argc) + calls_pointer(argc) + uses_printf(argc) +
        uses_tls(argc) + recursive_with_tls(argc) + table_of_clean(argc) + table_of_mixed(argc) +
        variable_table(argc);
}
