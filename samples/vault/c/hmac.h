/* HMAC-SHA-256, RFC 2104. */
#ifndef HMAC_H
#define HMAC_H

#include <stddef.h>

enum { HMAC_SIZE = 32 };

void hmac_sha256(const unsigned char *key, size_t key_length, const unsigned char *message, size_t length,
                 unsigned char mac[HMAC_SIZE]);

#endif
