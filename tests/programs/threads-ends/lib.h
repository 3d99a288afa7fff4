void lib_enter(void);
void lib_leave(void);
long lib_calls(long (*back)(long), long value);
int lib_destroyed(void);
void lib_lock(int robust);
