unsigned long vault_address(void);
void vault_put(unsigned value);
unsigned vault_get(void);
