import CSKD
import SKDKernels

@c @implementation
public func skd_instruction_set() -> UnsafePointer<CChar>! {
  UnsafeRawPointer(InstructionSet.compiled.cName.utf8Start)
    .assumingMemoryBound(to: CChar.self)
}

extension InstructionSet {
  /// As skd.h names it; a literal ends in a zero byte.
  fileprivate var cName: StaticString {
    switch self {
    case .avx512: "AVX-512"
    case .avx2: "AVX2"
    case .sse2: "SSE2"
    case .neon: "NEON"
    case .other: "other"
    }
  }
}
