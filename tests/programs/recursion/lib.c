static int depth;

long up(long);

long down(long n)
{
	volatile char mine[100];
	depth++;
	for (int i = 0; i < 100; i++)
		mine[i] = (char)(n + i);
	long result = n == 0 ? 0 : n + up(n - 1);
	for (int i = 0; i < 100; i++)
		if (mine[i] != (char)(n + i))
			result += 1000000;
	depth--;
	return result;
}

int depth_left(void) { return depth; }
