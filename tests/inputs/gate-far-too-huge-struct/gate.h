#pragma once
#define HUGE 3000000
struct huge
{
	long words[HUGE];
};
long last(struct huge huge);
