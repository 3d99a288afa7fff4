int missing(int);
int unused(int n) { return missing(n); }
int answer(int n) { return n + 1; }
