int apply(int (*function)(int), int value)
{
	return function(value);
}
