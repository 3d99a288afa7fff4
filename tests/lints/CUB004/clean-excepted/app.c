int sum(const void *values, int size);

int main(void)
{
	int values[] = { 1, 2, 3 };
	return sum(values, sizeof values) - 6;
}
