_Thread_local int number;
int answer(int n) { return n + number; }
