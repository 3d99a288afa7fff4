typedef double number_function(long, double, long, double, long, long, long, long, long, long);
typedef long text_function(const char *text, long);

void keeper_keep(number_function *number, text_function *text);
double keeper_number(void);
long keeper_text(void);
int owner_calls(void);
