int apply(int (*function)(int), int value);

/* gcc puts code for the address of a function within a function on the stack. */
int add(int one, int other)
{
	int inner(int value)
	{
		return value + other;
	}
	return apply(inner, one);
}

__attribute__((noinline)) int apply(int (*function)(int), int value)
{
	return function(value);
}
