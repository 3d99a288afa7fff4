struct table {
	int (*twice)(int);
};

static int twice(int value)
{
	return 2 * value;
}

struct table functions(void)
{
	return (struct table){ twice };
}
