uint8_t c(float, double d, long double, const volatile float x, __int128 y)
