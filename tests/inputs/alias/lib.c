int answer(int n) { return n + 1; }
int other(int) __attribute__((alias("answer")));
