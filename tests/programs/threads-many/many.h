unsigned long lib_sum(const unsigned char *data, unsigned long size);
const char *lib_name(long number);
long lib_destroyed(void);
long other_next(void);
long other_destroyed(void);
