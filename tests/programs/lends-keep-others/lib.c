#include "lib.h"

static const char *texts[4];

void lib_set(int number, const char *text) { texts[number] = text; }
void lib_drop(const char *text) { (void)text; }
int lib_letter(int number, int at) { return texts[number][at]; }
