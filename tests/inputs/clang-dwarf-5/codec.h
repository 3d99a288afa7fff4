struct codec
{
	const char *name;
	int first;
	short second;
};
int decode(struct codec *codec);
double ratio(struct codec codec);
