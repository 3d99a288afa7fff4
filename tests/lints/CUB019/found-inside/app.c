#include <dirent.h>

struct walk {
	DIR *directory;
	int depth;
};

int entries(struct walk walk);
int opened(DIR **directory);

int main(void)
{
	struct walk walk = { opendir("."), 0 };
	return entries(walk) + opened(&walk.directory);
}
