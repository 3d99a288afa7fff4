int answer(int n) { return n + 1; }
int main(void) { return answer(1); }
