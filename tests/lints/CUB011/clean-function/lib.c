static __thread int last_error;

int error(void)
{
	return last_error;
}

int fail(int error)
{
	return last_error = error;
}
