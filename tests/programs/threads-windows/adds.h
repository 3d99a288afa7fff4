void guest_adds(long *at, int times);
void third_adds(long *at, int times);
