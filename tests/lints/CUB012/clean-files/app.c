int count(int by);
int twice(int value);

int main(void)
{
	return count(twice(1)) - 2;
}
