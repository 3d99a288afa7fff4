// Every shape an argument and a result can have.
#include "legacy.h"

Point legacy_turn(Point point)
{
    return {-point.y, point.x};
}

Mixed legacy_mix(Mixed mixed, Point point)
{
    return {mixed.count + 1, mixed.weight * point.x + point.y};
}

Small legacy_small(Small small)
{
    return {static_cast<uint8_t>(small.tag + 1), static_cast<uint16_t>(small.level * 2), small.scale / 2};
}

Pair legacy_pair(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, Pair pair, int64_t f)
{
    return {pair.second + a + 10 * b + 100 * c, pair.first + d + 10 * e + 100 * f};
}

Big legacy_shift(Big big, int64_t by)
{
    Big shifted;
    for (int i = 0; i < 5; i++)
        shifted.parts[i] = big.parts[4 - i] + by;
    return shifted;
}

double legacy_weigh(int8_t a, uint16_t b, int32_t c, int64_t d, uint64_t e, int32_t f, int16_t g, uint8_t h,
                    int64_t i, double r, double s, double t, double u, double v, double w, double x, double y,
                    double z, float scale)
{
    double whole = a + 2.0 * b + 3.0 * c + 4.0 * static_cast<double>(d) + 5.0 * static_cast<double>(e) + 6.0 * f +
                   7.0 * g + 8.0 * h + 9.0 * static_cast<double>(i);
    double parts = r + 2 * s + 3 * t + 4 * u + 5 * v + 6 * w + 7 * x + 8 * y + 9 * z;
    return (whole + parts) * scale;
}
