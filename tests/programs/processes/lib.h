int lib_next(void);
void lib_fill(char *data, unsigned long size);
void lib_say(void);
unsigned long lib_secret(void);
int lib_forks(void);
