int of_d;
