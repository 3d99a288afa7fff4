static char secret[64] = "secret";
long other_secret(void) { return (long)secret; }
