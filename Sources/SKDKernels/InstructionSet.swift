internal import CIntrinsics

/// Instruction set that the kernels were compiled for, with the raw values of instruction_set.h.
public enum InstructionSet: Int, Sendable {
  /// Vectors of four floats on any other processor.
  case other
  /// The baseline of every x86-64 processor.
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
