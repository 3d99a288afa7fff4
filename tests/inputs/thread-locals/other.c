_Thread_local int number;
