struct request { const unsigned char *data; unsigned long size; const char *name; };

unsigned long lib_length(const char *text);
unsigned long lib_length_or(const char *text, long size);
int lib_request(const struct request *request);
int lib_counted(const unsigned char *data, const unsigned long *size);
int lib_eight(long a, long b, long c, long d, long e, long f, const unsigned char *data, unsigned long size);
