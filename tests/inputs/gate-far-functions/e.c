int of_e;
