extern int total;
int count(int by);

int main(void)
{
	return count(2) - total;
}
