int vault_first(void) { return 1; }
int vault_second(void) { return 2; }
int vault_third(void) { return 3; }
