int (*lib_give(long address))(int);
long lib_own(void);

static int open_vault(int n) { return n; }
long vault_text(void) { return (long)open_vault; }
long vault_gate(void) { return (long)lib_own; }
long vault_stub(void) { return (long)lib_give(lib_own()); }
