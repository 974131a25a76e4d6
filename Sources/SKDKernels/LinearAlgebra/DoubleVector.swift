/// The unit of padded rows.
typealias DoubleVector = SIMD8<Double>

@inline(__always)
func vector(_ pointer: UnsafePointer<Double>) -> DoubleVector {
  UnsafeRawPointer(pointer).loadUnaligned(as: DoubleVector.self)
}

@inline(__always)
func store(_ vector: DoubleVector, at pointer: UnsafeMutablePointer<Double>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: DoubleVector.self)
}
