//! C++ on both sides: each has its own unwinder, statics and thread-locals.
//@ run: plain
//@ stdout: app: constructed
//@ stdout: app: main caught app error
//@ stdout: app: destroyed
//@ stdout: lib: constructed
//@ stdout: lib: local destroyed
//@ stdout: lib: caught lib error 3
//@ stdout: lib: destroyed
//@ run: escape
//@ signal: 6
//@ violation: kind=abort cubicle=lib signal=6 chain=lib_throw
//@ stderr: terminate called after throwing an instance of 'std::runtime_error'
//@ stderr:   what():  leaves the cubicle

#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>

extern "C" int lib_catch(int);
extern "C" void lib_throw();
extern "C" int app_throw_inside(int);

struct Life {
	Life() { std::puts("app: constructed"); }
	~Life() { std::puts("app: destroyed"); }
};
static Life life;

extern "C" int app_throw_inside(int n)
{
	try {
		if (n > 0)
			throw n;
		return -1;
	} catch (int got) {
		return got * 2;
	}
}

int main(int count, char **arguments)
{
	if (count > 1 && std::strcmp(arguments[1], "escape") == 0)
		lib_throw();
	std::map<std::string, int> map;
	for (int i = 0; i < 100; i++)
		map[std::to_string(i)] = i;
	try {
		if (lib_catch(3) != 9 || map["77"] != 77)
			std::puts("wrong");
		throw std::logic_error("app error");
	} catch (const std::exception &error) {
		std::printf("app: main caught %s\n", error.what());
	}
}
