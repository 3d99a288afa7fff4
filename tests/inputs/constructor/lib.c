static int one;
__attribute__((constructor)) static void start(void) { one = 2; }
int answer(int n) { return n + one; }
