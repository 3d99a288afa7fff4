extern __thread int last_error;
int fail(int error);

int main(void)
{
	fail(5);
	return last_error - 5;
}
