#include <dirent.h>

struct walk {
	DIR *directory;
	int depth;
};

int entries(struct walk walk)
{
	return readdir(walk.directory) != 0;
}

int opened(DIR **directory)
{
	*directory = opendir("/");
	return *directory != 0;
}
