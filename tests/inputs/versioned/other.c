int old(int);
__asm__(".symver old,answer@LIB_1");
int other(int n) { return old(n); }
