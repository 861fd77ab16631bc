/* SPDX-License-Identifier: MIT */
/* The functions on complex numbers that Wine 8's ucrtbase.dll has no code for, and NumPy calls. They go to
   the compiler's library. Microsoft's compiler has no complex types, but structures, and its long double is a
   double. */
#include <complex.h>

typedef struct {
  double re, im;
} Double;
typedef struct {
  float re, im;
} Float;

#define COMPLEX(z) ((z).re + (z).im * _Complex_I)

#define REAL(name, suffix, Real, Complex) \
  Real ms_##name##suffix(Complex z) {     \
    return (Real)name(COMPLEX(z));        \
  }
#define FUNCTION(name, suffix, Complex)             \
  Complex ms_##name##suffix(Complex z) {            \
    const double complex result = name(COMPLEX(z)); \
    return (Complex){creal(result), cimag(result)}; \
  }
#define POWER(suffix, Complex)                                  \
  Complex ms_cpow##suffix(Complex z, Complex w) {               \
    const double complex result = cpow(COMPLEX(z), COMPLEX(w)); \
    return (Complex){creal(result), cimag(result)};             \
  }
#define ALL(suffix, Real, Complex)                                                                         \
  REAL(cabs, suffix, Real, Complex)                                                                        \
  REAL(carg, suffix, Real, Complex) REAL(cimag, suffix, Real, Complex) REAL(creal, suffix, Real, Complex)  \
      FUNCTION(ccos, suffix, Complex) FUNCTION(ccosh, suffix, Complex) FUNCTION(cexp, suffix, Complex)     \
          FUNCTION(clog, suffix, Complex) FUNCTION(csin, suffix, Complex) FUNCTION(csinh, suffix, Complex) \
              FUNCTION(csqrt, suffix, Complex) FUNCTION(ctan, suffix, Complex)                             \
                  FUNCTION(ctanh, suffix, Complex) POWER(suffix, Complex)

ALL(, double, Double)
ALL(l, double, Double)
ALL(f, float, Float)
