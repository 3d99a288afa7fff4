int f(const char *format, ..., int, double);
