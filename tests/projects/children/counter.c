static int number;

int counter_next(void) { return __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED); }
