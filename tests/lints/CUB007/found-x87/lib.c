long double half(long double value)
{
	return value / 2;
}
