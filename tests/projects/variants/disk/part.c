/* Has the name of the core's source, and another PART. */
static int memory = PART;

int disk_reads(void) { return memory; }

const int *disk_memory(void) { return &memory; }
