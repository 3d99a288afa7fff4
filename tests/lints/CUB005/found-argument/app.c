int apply(int (*function)(int), int value);

static int twice(int value)
{
	return 2 * value;
}

int main(void)
{
	return apply(twice, 1) - 2;
}
