struct table {
	int (*twice)(int);
};

struct table functions(void);

int main(void)
{
	return functions().twice(1) - 2;
}
