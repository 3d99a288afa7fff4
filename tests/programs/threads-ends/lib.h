void lib_enter(void);
void lib_leave(void);
long lib_calls(long (*back)(long), long value);
long lib_holds(char *data, unsigned long size, long (*back)(long));
int lib_destroyed(void);
void lib_lock(int robust);
