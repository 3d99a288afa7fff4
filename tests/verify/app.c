#include <stdio.h>
#include "all.h"

int board = 1;

static long twice(long n) { return 2 * n; }
static double half(double n) { return n / 2; }
static int first(const int *n) { return *n; }

int main(void)
{
	long sum = both_none() + both_six(1, 2, 3, 4, 5, 6) + both_seven(1, 2, 3, 4, 5, 6, 7);
	sum += both_many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	sum += both_format(1, 2.0, 10L, 20.5, 30L) + both_mixed(1, 2.5).a + both_prints(3);
	sum += quick_add(1, 2) + (long)quick_long(1, 2);
	sum += seen_number(3) + seen_apply(twice, 4);
	sum += seer_number(3) + seer_apply(half, 4);
	sum += lender_text("text") + lender_apply(first) + lender_scalar(twice);
	sum += again_number(1) + again_text("text") + plain_number(5, 1.5);
	printf("%ld %d\n", sum, board);
	return 0;
}
