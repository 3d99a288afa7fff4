#include <stdio.h>

/* nettle/sm3.h, without the package. */
struct sm3 {
	unsigned long long words[64];
};
void nettle_sm3_init(struct sm3 *);
void nettle_sm3_update(struct sm3 *, unsigned long, const unsigned char *);
void nettle_sm3_digest(struct sm3 *, unsigned long, unsigned char *);

int digest(void)
{
	struct sm3 state;
	unsigned char bytes[32];
	nettle_sm3_init(&state);
	nettle_sm3_update(&state, 3, (const unsigned char *)"abc");
	nettle_sm3_digest(&state, sizeof bytes, bytes);
	for (unsigned index = 0; index < sizeof bytes; index++)
		printf("%02x", bytes[index]);
	puts("");
	return 0;
}
