int lib_add(int a, int b) { return a + b; }
void *lib_memory(void)
{
	static int memory;
	return &memory;
}
