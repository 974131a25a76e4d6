/**
 * @file lanes.h
 * Loads and stores of the first floats of a vector, for the last channels of a matrix: a copy of
 * variable length would be a call of the C library.
 */
#ifndef SKD_LANES_H
#define SKD_LANES_H

#include "instruction_set.h"

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

/** The first `lanes` floats at `address`, which need not be aligned; the others are 0, and not read. */
static inline skd_tile_vector skd_load_lanes(const float *address, long lanes) {
#if defined(__AVX512F__)
  return (skd_tile_vector)_mm512_maskz_loadu_ps((__mmask16)((1u << lanes) - 1u), address);
#elif defined(__AVX2__) && defined(__FMA__)
  const __m256i numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)lanes), numbers);
  return (skd_tile_vector)_mm256_maskload_ps(address, mask);
#else
  float values[SKD_TILE_LANES] = {0};
  skd_tile_vector result;
  long copied = 0;
  if (lanes & 4) { __builtin_memcpy(values, address, 16), copied += 4; }
  if (lanes & 2) { __builtin_memcpy(values + copied, address + copied, 8), copied += 2; }
  if (lanes & 1) { values[copied] = address[copied]; }
  __builtin_memcpy(&result, values, sizeof result);
  return result;
#endif
}

/** Writes the first `lanes` floats of `values` to `address`, which need not be aligned. */
static inline void skd_store_lanes(float *address, skd_tile_vector values, long lanes) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(address, (__mmask16)((1u << lanes) - 1u), (__m512)values);
#else
  /* Masked stores of AVX take some 20 cycles on processors that have no AVX-512. */
  float copy[SKD_TILE_LANES];
  long written = 0;
  __builtin_memcpy(copy, &values, sizeof copy);
  if (lanes & 4) { __builtin_memcpy(address, copy, 16), written += 4; }
  if (lanes & 2) { __builtin_memcpy(address + written, copy + written, 8), written += 2; }
  if (lanes & 1) { address[written] = copy[written]; }
#endif
}

#endif
