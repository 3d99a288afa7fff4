int of_b;
