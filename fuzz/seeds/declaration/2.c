void (*signal(int number, void (*handler)(int)))(int)
