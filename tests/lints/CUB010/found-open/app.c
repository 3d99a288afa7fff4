int first(void);

int main(void)
{
	return first() < 0;
}
