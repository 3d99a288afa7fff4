/* The functions of the cubicles. */
#define STEP(number) \
	long step_##number(unsigned long seed, int depth, int fails, unsigned char *data, unsigned long size)
STEP(1);
STEP(2);
STEP(3);
STEP(4);
STEP(5);
STEP(6);

static long through_gates(int who, unsigned long seed, int depth, int fails, unsigned char *data, unsigned long size)
{
	switch (who) {
	case 1: return step_1(seed, depth, fails, data, size);
	case 2: return step_2(seed, depth, fails, data, size);
	case 3: return step_3(seed, depth, fails, data, size);
	case 4: return step_4(seed, depth, fails, data, size);
	case 5: return step_5(seed, depth, fails, data, size);
	default: return step_6(seed, depth, fails, data, size);
	}
}

/* How many signals the first cubicle has handled. */
long signals_handled(void);
