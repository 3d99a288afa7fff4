/* What the cubicles of this program have of each other. */
int lib_add(int a, int b);
long lib_own(long value);
long lib_through(long value);
unsigned long lib_place(void);
int lib_count(void);
long other_double(long value);
