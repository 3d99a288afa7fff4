int sum(const void *values, int size)
{
	int sum = 0;
	for (unsigned at = 0; at < size / sizeof(int); at++)
		sum += ((const int *)values)[at];
	return sum;
}
