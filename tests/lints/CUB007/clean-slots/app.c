int largest(int number, ...);

int main(void)
{
	return largest(2, 3, 4) - 4;
}
