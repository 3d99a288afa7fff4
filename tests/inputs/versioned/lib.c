int new_one(int n) { return n + 1; }
int old_one(int n) { return n - 40; }
__asm__(".symver new_one,answer@@LIB_2");
__asm__(".symver old_one,answer@LIB_1");
