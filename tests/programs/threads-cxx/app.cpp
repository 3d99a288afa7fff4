//! 64 std::threads call through three cubicles, with exceptions, containers and
//! thread-locals that have destructors in each.
//@ stdout: 64 threads were right, and 0 are left

#include <atomic>
#include <cstdio>
#include <future>
#include <thread>
#include <vector>
#include "lib.h"

int main()
{
	std::atomic<int> right{0};
	std::vector<std::thread> threads;
	for (int own = 0; own < 64; own++)
		threads.emplace_back([own, &right] {
			bool ok = true;
			for (int round = 0; round < 40; round++)
				for (int depth = 0; depth < 6; depth++)
					ok &= one_work(own + round, depth) == own + round + depth;
			right += ok;
		});
	auto later = std::async(std::launch::async, [] { return one_work(1, 5); });
	for (auto &thread : threads)
		thread.join();
	bool ok = later.get() == 6;
	printf("%d threads were right, and %d are left\n", ok ? right.load() : -1, three_threads());
}
