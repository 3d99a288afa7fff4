/* A component without code to speak of: what a cubicle costs by itself. */

long part_three(long value)
{
	return value + 1;
}
