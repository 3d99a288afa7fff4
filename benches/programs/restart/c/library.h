/* How often it was called since the image started; fails instead, if asked to. */
int library_call(int fail);
