int lib_apply(int (*call)(int), int n) { return call(n); }
int lib_forget(int (*call)(int)) { return call != 0; }
double lib_other(double (*call)(double), double n) { return call(n); }
