/* The parts of app. */
#define PAGE 4096

/* The numbers of the other cubicles. */
extern int guest, third;

void use(void);
void misuse(void);
void memory_calls(void);
void system_calls(void);
void registers(void);
void trespass(const char *how);
