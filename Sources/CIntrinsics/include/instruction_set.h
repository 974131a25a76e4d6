/**
 * @file instruction_set.h
 * The instruction set that the importing target is compiled for. Swift's `#if` cannot tell; Clang's
 * preprocessor can. The constants fold, so that Swift code that branches on them costs nothing.
 *
 * Import it from SKDKernels alone: only that target is compiled with -march (see Package.swift),
 * any other sees its own baseline.
 */
#ifndef SKD_INSTRUCTION_SET_H
#define SKD_INSTRUCTION_SET_H

/** The sets that the kernels are tuned for, in the order of Swift's InstructionSet. */
enum { SKD_SET_OTHER, SKD_SET_SSE2, SKD_SET_AVX2, SKD_SET_AVX512, SKD_SET_NEON };

/*
 * SKD_INSTRUCTION_SET   The set compiled for: one of the above.
 * SKD_TILE_LANES        Floats in one operand of the matrix product's tile. On NEON, which has 32
 *                       registers of four floats, an operand is a pair of registers.
 * SKD_TILE_ROWS         Most rows of a tile. Each keeps two operands in registers, besides two of B
 *                       and one of A.
 * SKD_TRANSPOSED_ROWS   The same for the product with a transposed matrix, where the compiler
 *                       keeps the values of A of all rows in registers too.
 * SKD_NARROW_ROWS       Most rows of a tile of one operand, for the last columns of a matrix; enough
 *                       of them hide the latency of a multiply-add.
 * SKD_NARROW_TRANSPOSED_ROWS  The same for the product with a transposed matrix.
 * SKD_ROW_PRODUCT_ROWS  Rows of a tile of the product of rows with four rows, in Double, where each
 *                       keeps four registers of sums.
 */
#if defined(__AVX512F__)
enum { SKD_INSTRUCTION_SET = SKD_SET_AVX512 };
enum { SKD_TILE_LANES = 16, SKD_TILE_ROWS = 14, SKD_TRANSPOSED_ROWS = 11 };
enum { SKD_NARROW_ROWS = 14, SKD_NARROW_TRANSPOSED_ROWS = 11 };
enum { SKD_ROW_PRODUCT_ROWS = 6 };
#elif defined(__AVX2__) && defined(__FMA__)
enum { SKD_INSTRUCTION_SET = SKD_SET_AVX2 };
enum { SKD_TILE_LANES = 8, SKD_TILE_ROWS = 6, SKD_TRANSPOSED_ROWS = 5 };
enum { SKD_NARROW_ROWS = 12, SKD_NARROW_TRANSPOSED_ROWS = 8 };
enum { SKD_ROW_PRODUCT_ROWS = 3 };
#elif defined(__aarch64__)
enum { SKD_INSTRUCTION_SET = SKD_SET_NEON };
enum { SKD_TILE_LANES = 8, SKD_TILE_ROWS = 6, SKD_TRANSPOSED_ROWS = 5 };
enum { SKD_NARROW_ROWS = 12, SKD_NARROW_TRANSPOSED_ROWS = 8 };
enum { SKD_ROW_PRODUCT_ROWS = 3 };
#elif defined(__x86_64__)
enum { SKD_INSTRUCTION_SET = SKD_SET_SSE2 };
enum { SKD_TILE_LANES = 4, SKD_TILE_ROWS = 5, SKD_TRANSPOSED_ROWS = 5 };
enum { SKD_NARROW_ROWS = 12, SKD_NARROW_TRANSPOSED_ROWS = 8 };
enum { SKD_ROW_PRODUCT_ROWS = 3 };
#else
enum { SKD_INSTRUCTION_SET = SKD_SET_OTHER };
enum { SKD_TILE_LANES = 4, SKD_TILE_ROWS = 5, SKD_TRANSPOSED_ROWS = 5 };
enum { SKD_NARROW_ROWS = 12, SKD_NARROW_TRANSPOSED_ROWS = 8 };
enum { SKD_ROW_PRODUCT_ROWS = 3 };
#endif

/** Whether a product and a sum are one instruction; where not, `fma` is a call of the C library. */
#if defined(__FMA__) || defined(__AVX512F__) || defined(__ARM_FEATURE_FMA) || \
    defined(__FP_FAST_FMAF)
enum { SKD_HAS_FMA = 1 };
#else
enum { SKD_HAS_FMA = 0 };
#endif

/** One operand of the tile; Swift sees SIMD16<Float>, SIMD8<Float> or SIMD4<Float>. */
typedef float skd_tile_vector __attribute__((ext_vector_type(SKD_TILE_LANES)));

/** The same register of doubles, half as many. */
typedef double skd_double_vector __attribute__((ext_vector_type(SKD_TILE_LANES / 2)));

/** Asks the second cache for the line at `address`, which need not be valid; nothing else happens. */
static inline void skd_prefetch(const void *address) { __builtin_prefetch(address, 0, 2); }

/** Keeps what lies at `memory` out of registers from here on; costs no instruction. */
static inline void skd_keep_in_memory(void *memory) {
  __asm__ volatile("" : : "r"(memory) : "memory");
}

#endif
