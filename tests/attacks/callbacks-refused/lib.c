static int secret = 5;
static int (*kept)(int);

void lib_keep(int (*call)(int)) { kept = call; }
int lib_call(int n) { return kept(n); }
long lib_kept_address(void) { return (long)kept; }
static int own(int n) { return n + secret; }
long lib_own(void) { return (long)own; }
int (*lib_give(long address))(int) { return (int (*)(int))address; }
int lib_nested(int (*call)(int (*)(int)), long address) { return call((int (*)(int))address); }
