int lib_deep(int n)
{
	volatile char space[1000];
	space[0] = 1;
	return n == 0 ? 0 : lib_deep(n - 1) + space[0];
}
