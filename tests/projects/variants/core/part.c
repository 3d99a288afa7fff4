#include <cubicle.h>

int disk_reads(void);
const int *disk_memory(void);

int core_reads(int in_place) { return PART * 10 + (in_place ? *disk_memory() : disk_reads()); }

int core_finds_window(void) { return cubicle_find("pages") >= 0; }
