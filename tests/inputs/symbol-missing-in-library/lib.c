int missing(int);
int answer(int n) { return missing(n); }
