/* What the constructor of outer has heard from inner. */
long outer_value(void);
long outer_fails(void);
long inner_value(void);
long inner_fails(void);
