extern int total;

int twice(void)
{
	return 2 * total;
}
