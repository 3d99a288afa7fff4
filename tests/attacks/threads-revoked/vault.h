/* Neither has a bit of a signal that a libc or the kernel keeps to itself. */
#define PUBLIC 0x0000000000001000UL
#define SECRET 0x0000000000002000UL

long vault_open(void);
void vault_works(int rounds);
