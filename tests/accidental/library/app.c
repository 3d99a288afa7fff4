int digest(void);
int main(void)
{
	return digest();
}
