long double half(long double value);

int main(void)
{
	return half(2) != 1;
}
