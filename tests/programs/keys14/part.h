/* Included for each cubicle with another NAME and SECRET. */
static long secret = SECRET;

long NAME(long at)
{
	if (at == 0)
		return secret;
	if (at == 1)
		return (long)&secret;
	return *(long *)at;
}
