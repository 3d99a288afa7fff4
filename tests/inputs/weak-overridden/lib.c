__attribute__((weak)) int hook(void) { return 100; }
int answer(int n) { return n + hook(); }
