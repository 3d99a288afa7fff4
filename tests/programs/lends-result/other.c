static char secret[] = "secret";
long other_secret(void) { return (long)secret; }
