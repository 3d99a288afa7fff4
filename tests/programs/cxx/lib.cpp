#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" int app_throw_inside(int);

struct Life {
	const char *name;
	explicit Life(const char *name) : name(name) {}
	~Life() { std::printf("lib: %sdestroyed\n", name); }
};
struct Loud : Life {
	Loud() : Life("") { std::puts("lib: constructed"); }
};
static Loud life;

static void deep(int n)
{
	Life local("local ");
	if (n >= 0)
		throw std::runtime_error("lib error " + std::to_string(n));
}

extern "C" int lib_catch(int n)
{
	static std::vector<std::unique_ptr<int>> kept;
	kept.push_back(std::make_unique<int>(n));
	int result = 0;
	std::string text;
	try {
		deep(n);
	} catch (const std::runtime_error &error) {
		text = error.what();
		/* Calls out while the exception is pending. */
		result = app_throw_inside(n) + *kept.back();
	}
	std::printf("lib: caught %s\n", text.c_str());
	return result;
}

extern "C" void lib_throw() { throw std::runtime_error("leaves the cubicle"); }
