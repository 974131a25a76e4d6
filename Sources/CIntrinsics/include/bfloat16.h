/**
 * @file bfloat16.h
 * Arithmetic on bfloat16, the upper half of a float: by AVX512_BF16 where the importing target is
 * compiled for it, and by shifts and float arithmetic elsewhere.
 */
#ifndef SKD_BFLOAT16_H
#define SKD_BFLOAT16_H

#include "instruction_set.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

/** As many bfloat16 as a tile's operand has floats. */
typedef unsigned short skd_tile_bfloats __attribute__((ext_vector_type(SKD_TILE_LANES)));
/** As many pairs of bfloat16, the first of each in the lower half. */
typedef unsigned int skd_tile_pairs __attribute__((ext_vector_type(SKD_TILE_LANES)));

/**
 * Rounds to the nearest bfloat16, ties to even. As the instruction does, the fallback makes
 * denormals zeros of their sign, and NaNs quiet.
 */
static inline skd_tile_bfloats skd_round_bfloat16(skd_tile_vector values) {
#if defined(__AVX512BF16__)
  return (skd_tile_bfloats)_mm512_cvtneps_pbh((__m512)values);
#else
  const skd_tile_pairs bits = (skd_tile_pairs)values;
  const skd_tile_pairs magnitude = bits & 0x7FFFFFFFu;
  const skd_tile_pairs isNaN = (skd_tile_pairs)(magnitude > 0x7F800000u);
  const skd_tile_pairs isDenormal = (skd_tile_pairs)(magnitude < 0x00800000u);
  const skd_tile_pairs nearest = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const skd_tile_pairs quiet = (bits >> 16) | 0x40u;
  const skd_tile_pairs finite = (nearest & ~isDenormal) | ((bits >> 16) & 0x8000u & isDenormal);
  return __builtin_convertvector((quiet & isNaN) | (finite & ~isNaN), skd_tile_bfloats);
#endif
}

/**
 * sum + a.first * b.first + a.second * b.second, of each pair. How often it is rounded depends on
 * the instruction set.
 */
static inline skd_tile_vector skd_add_pair_products(skd_tile_vector sum, skd_tile_pairs a,
                                                    skd_tile_pairs b) {
#if defined(__AVX512BF16__)
  return (skd_tile_vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
  sum += (skd_tile_vector)(a & 0xFFFF0000u) * (skd_tile_vector)(b & 0xFFFF0000u);
  return sum + (skd_tile_vector)(a << 16) * (skd_tile_vector)(b << 16);
#endif
}

#endif
