const char *(*(*deep)(void))(char (*rows)[16])
