__thread int last_error;

int fail(int error)
{
	return last_error = error;
}
