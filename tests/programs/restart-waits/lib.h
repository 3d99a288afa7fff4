/* Each waits for ever in lib, in its own way, and returns -1 because lib fails. */
long lib_reads(int descriptor);
long lib_polls(int descriptor);
long lib_sleeps(void);
long lib_waits_for_signal(void);
long lib_waits_for_lock(void);
long lib_loops(void);
/* Waits in other, which lib has called: other is not to notice. */
long lib_calls_other(int descriptor);
/* Waits in app, which lib has called. */
long lib_calls_app(void);

/* Are so many about to wait? */
int lib_about(void);
long lib_fails(void);
long lib_double(long number);
void app_waits(void);
long other_polls(int descriptor);
/* Loops in other, which then asks for what it is not granted. */
long lib_calls_loop(void);
long other_loops(void);
void other_ends_loop(void);
