int number;
void set(int);
int answer(int n) { set(n); return number; }
