/* A notary: signs what it is given, and tells whether it is still there.
 *
 * One request per line on standard input:
 *
 *     sign TEXT                a signature of TEXT
 *     heartbeat LENGTH TEXT    TEXT again, LENGTH bytes of it
 *
 * LENGTH is believed, as OpenSSL believed it in CVE-2014-0160. That is a bug,
 * and it is here on purpose. See the README. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault.h"

enum { RECORD = 512, LONGEST_HEARTBEAT = 65535 };

static void reply_signature(const char *text)
{
    unsigned char signature[VAULT_SIGNATURE];

    vault_sign((const unsigned char *)text, strlen(text), signature);
    printf("signature ");
    for (int i = 0; i < VAULT_SIGNATURE; i++)
        printf("%02x", signature[i]);
    printf("\n");
}

static void reply_heartbeat(const char *request)
{
    char *text;
    unsigned long length = strtoul(request, &text, 10);
    char *reply;

    if (text == request || *text != ' ' || length > LONGEST_HEARTBEAT) {
        printf("error: expected heartbeat LENGTH TEXT\n");
        return;
    }
    reply = malloc(length + 1);
    if (reply == NULL) {
        printf("error: out of memory\n");
        return;
    }
    /* The bug: the record ends long before that, if LENGTH is a lie. */
    memcpy(reply, text + 1, length);
    printf("heartbeat ");
    for (unsigned long i = 0; i < length; i++)
        putchar(isprint((unsigned char)reply[i]) ? reply[i] : '.');
    printf("\n");
    free(reply);
}

int main(void)
{
    char *record = calloc(1, RECORD);

    if (record == NULL || vault_open() != 0) {
        perror("notary: no key");
        return 1;
    }
    while (fgets(record, RECORD, stdin) != NULL) {
        record[strcspn(record, "\n")] = '\0';
        if (strncmp(record, "sign ", 5) == 0)
            reply_signature(record + 5);
        else if (strncmp(record, "heartbeat ", 10) == 0)
            reply_heartbeat(record + 10);
        else
            printf("error: expected sign or heartbeat\n");
    }
    free(record);
    return 0;
}
