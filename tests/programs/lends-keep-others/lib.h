/* Keeps 64 bytes under a number; who says that it ends them need not be believed. */
void lib_set(int number, const char *text);
void lib_drop(const char *text);
int lib_letter(int number, int at);

void other_sets(void);
