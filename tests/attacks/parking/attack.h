/* How app wants it done. */
#define WIPED 1
#define IN_THREAD 2

int app_way(void);
void app_call_helper(void);

void codec_use(void);
void codec_go_back(void);

void helper_prepare(void);
void helper_call_codec(void);
int helper_waits(void);
