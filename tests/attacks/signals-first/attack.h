/* Waits for ever; does it wait by now? */
void v_spin(void);
int v_spins(void);
/* A place in the middle of its data, and how much of that is not zero. */
long v_data(void);
long v_filled(void);
/* Fills its stack with a byte of the caller's choice. */
long v_takes(int byte);

/* `first` is the thread on which h has nothing yet, `data` where its stack pointer is to be.
 * Answers where app's handler is to start. */
long h_prepares(int first, long data);
