// A library as it has been lying around for years.
#ifndef LEGACY_H
#define LEGACY_H

#include <cstddef>
#include <cstdint>

struct Point { double x, y; };
struct Mixed { int64_t count; double weight; };
struct Small { uint8_t tag; uint16_t level; float scale; };
struct Pair { int64_t first, second; };
struct Big { int64_t parts[5]; };

extern "C" {

// One step down: calls app_descend for the next one. Throws and catches on some.
uint64_t legacy_descend(uint32_t depth, uint64_t sum, bool spoken);
// Prints a greeting; returns its length.
size_t legacy_greet(const char *name);
// Reads a decimal number. Returns 0, or -1 with errno (EINVAL, ERANGE).
int legacy_number(const char *text, long *value);
void legacy_sort(int64_t *values, size_t length);
int64_t legacy_sum(const int64_t *values, size_t length);
// Throws from depth calls further down; returns how many destructors ran.
int legacy_throw(uint32_t depth);
// How many times this thread has entered the library.
uint32_t legacy_calls(void);

Point legacy_turn(Point point);
Mixed legacy_mix(Mixed mixed, Point point);
Small legacy_small(Small small);
Pair legacy_pair(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, Pair pair, int64_t f);
Big legacy_shift(Big big, int64_t by);
double legacy_weigh(int8_t a, uint16_t b, int32_t c, int64_t d, uint64_t e, int32_t f, int16_t g, uint8_t h,
                    int64_t i, double r, double s, double t, double u, double v, double w, double x, double y,
                    double z, float scale);

// Jumps back laps times with longjmp, each time over a call of app_note.
int legacy_rewind(int laps);

// What the program provides.
uint64_t app_descend(uint32_t depth, uint64_t sum, bool spoken);
void app_note(const char *text);

}

#endif
