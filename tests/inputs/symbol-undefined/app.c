int nobody(void);
int main(void) { return nobody(); }
