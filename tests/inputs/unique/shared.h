extern "C" int counted();
extern "C" int other();
inline int __attribute__((noinline)) count()
{
	static int calls;
	return ++calls;
}
