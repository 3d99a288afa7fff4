int of_c;
