/* Descriptors that the app has open, all of them in the folder `outside`. */
struct open {
	int folder;		/* for reading */
	int folder_path;	/* O_PATH */
	int secret_path;	/* O_PATH, of outside/secret */
};

int lib_use(void);
int lib_try(const char *name, struct open open);
