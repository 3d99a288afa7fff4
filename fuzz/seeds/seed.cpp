namespace deep {
template <class T> struct Pair
{
	T first, second;
	virtual T sum() const { return first + second; }
};
inline int counter()
{
	static int calls;
	return ++calls;
}
}

extern "C" int seed(const deep::Pair<long> &pair, deep::Pair<double> *many)
{
	deep::Pair<int> own;
	own.first = own.second = deep::counter();
	return own.sum() + pair.sum() + (many != nullptr);
}
