static int plus_one(int n) { return n + 1; }
static int (*choose(void))(int) { return plus_one; }
int answer(int n) __attribute__((ifunc("choose")));
