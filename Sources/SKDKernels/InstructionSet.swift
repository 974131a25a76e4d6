internal import CInstructionSet

/// What the kernels of this library were compiled for.
public enum InstructionSet: Sendable {
  case avx512
  /// With FMA.
  case avx2
  /// What every x86-64 processor has.
  case sse2
  case neon
  /// Vectors of four floats on any other processor.
  case other

  /// The instruction set of this build.
  public static var compiled: InstructionSet {
    switch SKD_INSTRUCTION_SET {
    case SKD_SET_AVX512: .avx512
    case SKD_SET_AVX2: .avx2
    case SKD_SET_SSE2: .sse2
    case SKD_SET_NEON: .neon
    default: .other
    }
  }
}
