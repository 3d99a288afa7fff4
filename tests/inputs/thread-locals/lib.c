extern _Thread_local int number;
static _Thread_local int before;
int answer(int n) { number += n; before++; return number + before - 1; }
