#include "codec.h"
int decode(struct codec *codec) { return codec->first + codec->second; }
double ratio(struct codec codec) { return (double)codec.first / codec.second; }
