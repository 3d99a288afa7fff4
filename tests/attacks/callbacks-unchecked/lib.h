typedef void release_function(void *user);

void lib_wipe(void *at);
/* Calls back with what it was given. */
void lib_release(void *user, release_function *release);
long lib_secret(void);
long lib_value(void);
