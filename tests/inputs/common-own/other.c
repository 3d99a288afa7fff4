int number;
void set(int n) { number = n + 1; }
