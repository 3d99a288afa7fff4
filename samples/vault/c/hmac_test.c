/* The test vectors of RFC 4231 (all but the one with a truncated result). */
#include <stdio.h>
#include <string.h>

#include "hmac.h"

static int failures;

static void expect(int number, const void *key, size_t key_length, const void *message, size_t length,
                   const char *expected)
{
    unsigned char mac[HMAC_SIZE];
    char text[2 * HMAC_SIZE + 1];

    hmac_sha256(key, key_length, message, length, mac);
    for (int i = 0; i < HMAC_SIZE; i++)
        sprintf(text + 2 * i, "%02x", mac[i]);
    if (strcmp(text, expected) != 0) {
        printf("RFC 4231 case %d: got %s, expected %s\n", number, text, expected);
        failures++;
    }
}

int main(void)
{
    unsigned char key[131], message[50];
    const char *text;

    memset(key, 0x0b, 20);
    expect(1, key, 20, "Hi There", 8, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    text = "what do ya want for nothing?";
    expect(2, "Jefe", 4, text, strlen(text), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, 20);
    memset(message, 0xdd, 50);
    expect(3, key, 20, message, 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    for (int i = 0; i < 25; i++)
        key[i] = (unsigned char)(i + 1);
    memset(message, 0xcd, 50);
    expect(4, key, 25, message, 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    memset(key, 0xaa, 131);
    text = "Test Using Larger Than Block-Size Key - Hash Key First";
    expect(6, key, 131, text, strlen(text), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    text = "This is a test using a larger than block-size key and a larger than block-size data. "
           "The key needs to be hashed before being used by the HMAC algorithm.";
    expect(7, key, 131, text, strlen(text), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
    if (failures == 0)
        puts("RFC 4231: all signatures are right");
    return failures != 0;
}
