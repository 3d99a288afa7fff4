extern "C" int answer(int n);
template <class T> T __attribute__((noinline)) next(T n) { return n + 1; }
