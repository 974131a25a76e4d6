/// A change of colour, on the scale where factor 1 changes nothing; factors are finite and >= 0.
public enum ColorOperation: Sendable, Equatable {
  /// Blends with black.
  case brightness(Float)
  /// Blends with the image's mean luma.
  case contrast(Float)
  /// Blends with each pixel's own luma.
  case saturation(Float)
}

/// Up to three colour operations in the order in which they are applied, held without allocation.
public struct ColorOperations: Sendable, Equatable {
  /// The most operations that can be held.
  public static let capacity = 3

  private var slots: (ColorOperation, ColorOperation, ColorOperation)
  public private(set) var count = 0

  public init() {
    let unused = ColorOperation.brightness(1)
    slots = (unused, unused, unused)
  }

  /// - Precondition: At most `capacity` operations.
  public init(_ operations: some Sequence<ColorOperation>) {
    self.init()
    for operation in operations { append(operation) }
  }

  /// - Precondition: Fewer than `capacity` operations so far.
  public mutating func append(_ operation: ColorOperation) {
    precondition(count < Self.capacity)
    switch count {
    case 0: slots.0 = operation
    case 1: slots.1 = operation
    default: slots.2 = operation
    }
    count += 1
  }

  public static func == (a: Self, b: Self) -> Bool { a.elementsEqual(b) }
}

extension ColorOperations: RandomAccessCollection, ExpressibleByArrayLiteral {
  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  public subscript(position: Int) -> ColorOperation {
    switch position {
    case 0: slots.0
    case 1: slots.1
    default: slots.2
    }
  }

  public init(arrayLiteral operations: ColorOperation...) { self.init(operations) }
}
