/* Takes a lock, and fails when this many threads wait for it or for news. */
long lib_hold_and_fail(int waiting);
long lib_wait_for_lock(void);
long lib_wait_for_news(void);
long lib_double(long number);
