int old(int);
__asm__(".symver old,answer@LIB_1");
int main(void) { return old(41); }
