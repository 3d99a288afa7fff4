#pragma once
struct wide { double a, b; };
#define PARAMETERS double a0, double a1, double a2, double a3, double a4, double a5, double a6, double a7, \
	long b0, long b1, long b2, long b3, long b4, long b5, long c0, long c1, long c2, long c3, long c4, long c5, long c6, long c7, long c8, long c9, long c10, long c11, long c12, long c13, long c14, long c15, long c16, long c17, long c18, long c19, long c20, long c21
struct wide widest(PARAMETERS);
