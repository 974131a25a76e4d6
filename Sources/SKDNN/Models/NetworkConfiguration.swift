import SKDKernels
import SKDRuntime

/// The backbones of the field.
public enum Architecture: String, CaseIterable, Sendable {
  case resnet12
  /// `resnet12` with gates.
  case seresnet12
  case resnet18
  case resnet24
  case convnet4
  case wideResNet28x10 = "wrn_28_10"
}

/// Options of a network. Checked and completed with the architecture's defaults at `init`.
public struct NetworkConfiguration: Equatable, Sendable {
  public let architecture: Architecture
  public let classCount: Int
  /// Largest side of an image, in pixels.
  public static let maximumImageSize = 4096

  /// Side of the images, in pixels.
  public let imageSize: Int
  public let inputChannels: Int
  /// Channels of each stage.
  public let widths: [Int]
  public let dropRate: Float
  /// Whether a ResNet's blocks have squeeze-and-excitation gates.
  public let usesGates: Bool
  /// Side of DropBlock's squares in stages 3 and 4 of a ResNet; empty for other architectures.
  public let dropBlockSizes: [Int]
  public let hasRotationHead: Bool
  /// Precision of the operands of the 3x3 convolutions' products.
  public let precision: Precision
  /// Seed of the initial weights.
  public let seed: UInt64

  /// Nil asks for the architecture's default.
  ///
  /// - Parameter dropBlockSize: Default 5, or 2 for images below 64 pixels, and never more than
  ///   the side of the feature map.
  /// - Throws: `SKDError.invalidArgument`.
  public init(
    architecture: Architecture, classCount: Int, imageSize: Int, inputChannels: Int = 3,
    widths: [Int]? = nil, usesGates: Bool = false, dropRate: Float? = nil,
    dropBlockSize: Int? = nil, hasRotationHead: Bool? = nil,
    precision: Precision = .float32, seed: UInt64 = 0
  ) throws {
    let (owner, kind) = ("NetworkConfiguration", architecture.rawValue)
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
      try require(
        range.contains(value), name, of: owner,
        "be at least \(range.lowerBound) and at most \(range.upperBound) for \(kind)",
        got: "\(value)")
    }
    try require(classCount, in: 1...1_000_000, "classCount", of: owner)
    try check("imageSize", imageSize, architecture.minimumImageSize...Self.maximumImageSize)
    try require(inputChannels, in: 1...4, "inputChannels", of: owner)
    let widths = widths ?? architecture.defaultWidths
    try require(
      widths.count == architecture.defaultWidths.count, "widths", of: owner,
      "have \(architecture.defaultWidths.count) entries for \(kind)", got: "\(widths.count)")
    for (stage, width) in widths.enumerated() {
      try require(width, in: 1...8192, "widths", of: owner, at: stage)
    }
    let dropRate = dropRate ?? architecture.defaultDropRate
    try require(
      (0..<1).contains(dropRate), "dropRate", of: owner, "be in [0, 1)", got: "\(dropRate)")
    self.architecture = architecture
    self.classCount = classCount
    self.imageSize = imageSize
    self.inputChannels = inputChannels
    self.widths = widths
    self.dropRate = dropRate
    try require(
      !usesGates || architecture.isResNet, "usesGates", of: owner,
      "be left out for \(kind), which has no place for gates")
    self.usesGates = usesGates || architecture == .seresnet12
    self.hasRotationHead =
      hasRotationHead ?? (architecture.isResNet && architecture != .seresnet12)
    self.precision = precision
    self.seed = seed
    guard architecture.isResNet else {
      dropBlockSizes = []
      try require(
        dropBlockSize == nil, "dropBlockSize", of: owner,
        "be left out for \(kind), which has no DropBlock", got: dropBlockSize.map { "\($0)" })
      return
    }
    let sides = [imageSize / 8, imageSize / 16]
    if let dropBlockSize { try check("dropBlockSize", dropBlockSize, 1...sides[1]) }
    dropBlockSizes = sides.map { dropBlockSize ?? min(imageSize < 64 ? 2 : 5, $0) }
  }
}

extension Architecture {
  var isResNet: Bool { !resNetDepths.isEmpty }

  /// Blocks of each stage; empty for other architectures than ResNets.
  var resNetDepths: [Int] {
    switch self {
    case .resnet12, .seresnet12: return [1, 1, 1, 1]
    case .resnet18: return [1, 1, 2, 2]
    case .resnet24: return [2, 2, 2, 2]
    case .convnet4, .wideResNet28x10: return []
    }
  }

  public var defaultWidths: [Int] {
    switch self {
    case .resnet12, .seresnet12, .resnet18, .resnet24: return ResNet.defaultWidths
    case .convnet4: return ConvNet4.defaultWidths
    case .wideResNet28x10: return WideResNet.defaultWidths
    }
  }

  var defaultDropRate: Float {
    switch self {
    case .resnet12, .seresnet12, .resnet18, .resnet24: return 0.1
    case .convnet4: return 0
    case .wideResNet28x10: return 0.3
    }
  }

  /// Smallest side of an image, in pixels: the poolings must leave at least one.
  public var minimumImageSize: Int {
    switch self {
    case .resnet12, .seresnet12, .resnet18, .resnet24: return 16
    case .convnet4: return 8
    case .wideResNet28x10: return 1
    }
  }
}
