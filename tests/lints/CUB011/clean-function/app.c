int error(void);
int fail(int error);

int main(void)
{
	fail(5);
	return error() - 5;
}
