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

#define VALUE(z) ((z).re + (z).im * _Complex_I)

#define REAL_OF(name, Real, Complex, function) \
  Real name(Complex z) {                       \
    return (Real)function(VALUE(z));           \
  }
#define COMPLEX_OF(name, Complex, parameters, value) \
  Complex name parameters {                          \
    const double complex result = value;             \
    return (Complex){creal(result), cimag(result)};  \
  }
#define REAL(function)                                \
  REAL_OF(ms_##function, double, Double, function)    \
  REAL_OF(ms_##function##l, double, Double, function) \
  REAL_OF(ms_##function##f, float, Float, function)
#define COMPLEX(function)                                              \
  COMPLEX_OF(ms_##function, Double, (Double z), function(VALUE(z)))    \
  COMPLEX_OF(ms_##function##l, Double, (Double z), function(VALUE(z))) \
  COMPLEX_OF(ms_##function##f, Float, (Float z), function(VALUE(z)))

REAL(cabs);
REAL(carg);
REAL(cimag);
REAL(creal);
COMPLEX(ccos);
COMPLEX(ccosh);
COMPLEX(cexp);
COMPLEX(clog);
COMPLEX(csin);
COMPLEX(csinh);
COMPLEX(csqrt);
COMPLEX(ctan);
COMPLEX(ctanh);
COMPLEX_OF(ms_cpow, Double, (Double z, Double w), cpow(VALUE(z), VALUE(w)));
COMPLEX_OF(ms_cpowl, Double, (Double z, Double w), cpow(VALUE(z), VALUE(w)));
COMPLEX_OF(ms_cpowf, Float, (Float z, Float w), cpow(VALUE(z), VALUE(w)));
