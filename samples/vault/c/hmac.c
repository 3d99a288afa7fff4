#include "hmac.h"

#include <string.h>

#include "sha256.h"

static void keyed(struct sha256 *hash, const unsigned char key[SHA256_BLOCK], unsigned char pad)
{
    unsigned char padded[SHA256_BLOCK];

    for (int i = 0; i < SHA256_BLOCK; i++)
        padded[i] = key[i] ^ pad;
    sha256_begin(hash);
    sha256_add(hash, padded, sizeof padded);
}

void hmac_sha256(const unsigned char *key, size_t key_length, const unsigned char *message, size_t length,
                 unsigned char mac[HMAC_SIZE])
{
    unsigned char block[SHA256_BLOCK] = { 0 };
    struct sha256 hash;

    if (key_length > SHA256_BLOCK) {
        sha256_begin(&hash);
        sha256_add(&hash, key, key_length);
        sha256_end(&hash, block);
    } else {
        memcpy(block, key, key_length);
    }
    keyed(&hash, block, 0x36);
    sha256_add(&hash, message, length);
    sha256_end(&hash, mac);
    keyed(&hash, block, 0x5c);
    sha256_add(&hash, mac, HMAC_SIZE);
    sha256_end(&hash, mac);
}
