/* What app asks of the two others. */
#include <stddef.h>

/* Each reads or writes memory of somebody else's, as it was told. */
int guest_get(const char *at);
void guest_put(char *at, int value);
long guest_sum(const unsigned char *at, size_t size);
void guest_fill(char *at, int value, size_t size);
int guest_adds(int *at, int value);
/* One instruction. */
void guest_copies(char *to, const char *from, size_t size, int backwards);
/* With a stack pointer of somebody else's. */
int guest_get_on(const char *at, char *stack);
/* With something in guest's frame that only a gate would leave there. */
int guest_get_with_token(const char *at);
void guest_run(char *at);
/* How many registers a touch changes; the same in app itself. */
int guest_compares_registers(const char *at);
int compare_registers(const char *at);
/* Memory calls on what guest was lent: how many do anything but refuse. */
int guest_changes(char *at);
/* System calls of guest's: their result, or a negative error number. */
long guest_read(int file, char *at, size_t size);
long guest_write(int file, const char *at, size_t size);
long guest_read_parts(int file, char *first, size_t first_size, char *second, size_t second_size);
/* -1 and an errno. */
int guest_fails(int error);
/* An address of guest's own. */
char *guest_own(void);
/* Calls about windows that guest makes for itself. */
int guest_init(void);
int guest_add(int window, const char *at, size_t size);
int guest_open(int window, const char *cubicle, int read_only);
int guest_close(int window, const char *cubicle);
int guest_destroy(int window);
/* Lends to third what it was lent. */
int guest_passes_on(char *at, int read_only);

/* The same, with third's help, to whom it is lent for the call. */
long guest_sum_by_third(const unsigned char *at, size_t size);
void guest_fill_by_third(char *at, int value, size_t size);

int third_get(const char *at);
void third_put(char *at, int value);
/* Where brk then stands. */
long third_break(const char *at);
long third_sum_lent(const unsigned char *at, size_t size);
void third_fill_lent(char *at, int value, size_t size);
