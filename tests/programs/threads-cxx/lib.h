extern "C" {
long one_work(long value, int depth);
long two_work(long value, int depth);
long three_work(long value);
int three_threads();
}
