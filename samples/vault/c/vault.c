#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "hmac.h"

struct key {
    size_t length;
    unsigned char bytes[64];
};

static struct key *key;

int vault_open(void)
{
    const char *path = getenv("VAULT_KEY_FILE");
    ssize_t length;
    int file;

    if (key == NULL && (key = calloc(1, sizeof *key)) == NULL)
        return -1;
    file = open(path != NULL ? path : "demo.key", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    length = read(file, key->bytes, sizeof key->bytes);
    close(file);
    if (length < 0)
        return -1;
    while (length > 0 && key->bytes[length - 1] == '\n')
        length--;
    if (length < 16) { /* shorter keys are no keys */
        errno = EINVAL;
        return -1;
    }
    key->length = (size_t)length;
    return 0;
}

void vault_sign(const unsigned char *message, size_t length, unsigned char *signature)
{
    hmac_sha256(key->bytes, key->length, message, length, signature);
}
