int add(int one, int other)
{
	int inner(int value)
	{
		return value + other;
	}
	return inner(one);
}
