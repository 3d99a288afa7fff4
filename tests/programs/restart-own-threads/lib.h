/* Starts threads of lib's own, which wait, sleep, loop, lock, and call app. */
long lib_starts(void);
long lib_fails(void);
/* One of its threads fails, while this waits for it. */
long lib_thread_fails(void);
/* One of its threads fails, and nobody is in a call. */
long lib_thread_fails_later(void);
long lib_ends_threads(void);
long lib_double(long number);
/* How often this has been called since lib started. */
long lib_counts(void);
/* A thread of lib's ends, and what other does at its end calls lib. `late`: the thread fails. */
long lib_thread_leaves(int late);
void other_remembers(int late);
void app_hears(void);
