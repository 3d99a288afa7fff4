/* Included for each cubicle with other names. */
#ifdef NEXT
long NEXT(long);
long NAME(long n) { return NEXT(n) + 500; }
#else
long NAME(long n) { return n ? n + 4 : *(volatile long *)8; }
#endif
