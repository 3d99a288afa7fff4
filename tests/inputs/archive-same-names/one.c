int next(int);
int answer(int n) { return next(n); }
