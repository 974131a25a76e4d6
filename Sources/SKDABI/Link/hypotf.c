/* The Swift runtime has a function that calls hypotf, which glibc has given a new version in 2.35. It is
   linked in whole, though nothing here calls that function; with this definition the library also
   loads where glibc is 2.34 (Red Hat Enterprise Linux 9 and its kin). */
#include <math.h>

float hypotf(float x, float y) {
  if (isinf(x) || isinf(y)) return INFINITY; /* even if the other is NaN */
  return (float)sqrt((double)x * x + (double)y * y);
}
