unsigned mixed(unsigned x)
{
	return x ^ 0xef010f;
}

unsigned whole(void)
{
	return 0xef010f;
}
