int of_f;
