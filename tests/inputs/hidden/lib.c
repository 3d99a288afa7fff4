__attribute__((visibility("hidden"))) int answer(int n) { return n + 1; }
