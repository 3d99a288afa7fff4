extern "C" int answer(int n);
extern "C" int other(int n);
template <class T> T __attribute__((noinline)) next(T n) { return n + 1; }
inline int __attribute__((noinline)) plus(int n) { return n + 1; }
