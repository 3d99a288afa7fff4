#include "keeper.h"

static number_function *number;
static text_function *text;

void keeper_keep(number_function *a_number, text_function *a_text)
{
	number = a_number;
	text = a_text;
}

double keeper_number(void) { return number(1, 0.5, 2, 0.25, 3, 4, 5, 6, 7, 8); }
long keeper_text(void) { return text("seven b", 100); }
