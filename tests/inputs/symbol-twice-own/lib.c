int helper(void) { return 1; }
int answer(int n) { return n + helper(); }
