static char room[130 << 20];
int answer(int n) { room[n] = 1; return n + room[n]; }
