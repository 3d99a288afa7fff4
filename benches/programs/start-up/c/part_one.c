/* A component without code to speak of: what a cubicle costs by itself. */

long part_one(long value)
{
	return value + 1;
}
