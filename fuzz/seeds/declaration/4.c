int q(int (*compare)(const void *, const void *), char a[static 4][8], struct z *restrict p)
