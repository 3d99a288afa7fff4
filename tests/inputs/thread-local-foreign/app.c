extern _Thread_local int number;
int answer(int);
int main(void) { return answer(1) + number; }
