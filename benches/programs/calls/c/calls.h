/* One pair of functions for each kind of gate. `_bare` needs nothing but its
 * registers; `_thread` uses a thread-local variable, so that its gate must
 * change the FS base. */

#define PAIR(KIND) \
	long KIND##_bare(long value); \
	long KIND##_thread(long value);

PAIR(own)
PAIR(fast)
PAIR(checked)
PAIR(unscrubbed)
PAIR(seen)
PAIR(seeing)

long lending_bare(const char *text, long length);
long lending_thread(const char *text, long length);
