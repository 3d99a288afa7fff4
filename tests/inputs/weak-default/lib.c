__attribute__((weak)) int hook(void) { return 1; }
int answer(int n) { return n + hook(); }
