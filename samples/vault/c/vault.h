/* Signs messages with a key that stays inside. */
#ifndef VAULT_H
#define VAULT_H

#include <stddef.h>

enum { VAULT_SIGNATURE = 32 };

/* Loads the key from the file that the environment variable VAULT_KEY_FILE
 * names, else from demo.key. Returns 0, or -1 with errno. */
int vault_open(void);

/* Signs length bytes; the signature has VAULT_SIGNATURE bytes. */
void vault_sign(const unsigned char *message, size_t length, unsigned char *signature);

#endif
