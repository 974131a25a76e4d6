internal import CIntrinsics

/// What the kernels of this library were compiled for; raw values are those of instruction_set.h.
public enum InstructionSet: Int, Sendable {
  /// Vectors of four floats on any other processor.
  case other
  /// What every x86-64 processor has.
  case sse2
  /// With FMA.
  case avx2
  case avx512
  case neon

  /// The instruction set of this build.
  public static var compiled: InstructionSet {
    InstructionSet(rawValue: SKD_INSTRUCTION_SET) ?? .other
  }
}
