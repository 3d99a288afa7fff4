static unsigned char memory[65536] __attribute__((aligned(4096)));

/* Where its memory is, full of what is its own secret. */
void *vault_memory(void)
{
	for (unsigned i = 0; i < sizeof memory; i++)
		memory[i] = 's';
	return memory;
}

/* Is it as it was? */
int vault_is_whole(void)
{
	for (unsigned i = 0; i < sizeof memory; i++)
		if (memory[i] != 's')
			return 0;
	return 1;
}
