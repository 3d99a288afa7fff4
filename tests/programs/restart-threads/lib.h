/* The sum, computed on the library's own heap. */
long lib_sum(const int *numbers, int count, int fail);
/* Twice the value: no lends, no heap. */
long lib_double(long value, int fail);
/* The same by way of other and back. */
long lib_through(long value, int fail);
long other_double(long value, int fail);
