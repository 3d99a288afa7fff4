#pragma once
#define HUGE 3000
struct huge
{
	long words[HUGE];
};
long last(struct huge huge);
