/* speedtest1, on the library OS or on SQLite's own VFS for Unix. */

int speedtest1_main(int, char **);

int main(int count, char **arguments)
{
	return speedtest1_main(count, arguments);
}
