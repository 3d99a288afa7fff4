static char room[3L << 30];
static int last;
int answer(int n) { last = n; room[n] = 1; return last + room[n]; }
