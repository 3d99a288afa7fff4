/* Installs a handler of lib's for SIGURG, which fails (`FAILS`) or calls app first. */
enum { FAILS, CALLS };
long lib_installs(int how);
/* Calls app, in which the handler will interrupt it. */
long lib_calls_app(void);
long lib_fails(void);
/* How often this has been called since lib started. */
long lib_counts(void);
void app_called(void);
void app_in_handler(void);
