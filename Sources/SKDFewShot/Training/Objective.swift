import SKDKernels
import SKDNN

/// A training objective: the loss of a batch and its gradients.
public protocol Objective: Sendable {
  /// The name that error messages give it.
  var name: String { get }
  var needsTeacher: Bool { get }
  /// Whether a step must have labels; without the need they serve for the accuracy.
  var needsLabels: Bool { get }
  var readsRotationHead: Bool { get }

  /// The rotations in which images pass through the network, upright first.
  var views: [Rotation] { get }

  /// Number of `views` that each image passes in. If it is smaller than their number, every step
  /// draws as many different ones for each image.
  var viewsPerImage: Int { get }

  /// The losses of a batch; also writes their gradients.
  ///
  /// - Parameters:
  ///   - rotations: Rotation of each row of `output`: all images in their first view, then all in
  ///     their second, and so on.
  ///   - labels: One class per image, or nil if the objective can do without.
  ///   - gradients: Overwritten (`=`).
  func losses(
    of output: NetworkOutput, images: Int, rotations: [Rotation], labels: UnsafePointer<Int64>?,
    teacherLogits: Tensor?, gradients: LogitGradients
  ) throws -> Losses
}

extension Objective {
  public var needsTeacher: Bool { false }
  public var needsLabels: Bool { true }
  public var readsRotationHead: Bool { false }
  public var viewsPerImage: Int { views.count }
}

/// Destinations of an objective's gradients, with the extents of the logits.
public struct LogitGradients {
  public let logits: Tensor
  /// Nil if the objective does not read the rotation head.
  public let rotationLogits: Tensor?
}

/// Cross-entropy on upright images: RFS-simple (Tian et al., arXiv:2003.11539).
public struct SupervisedObjective: Objective {
  public let name = "Supervised"
  public let views: [Rotation] = [.none]

  public init() {}

  public func losses(
    of output: NetworkOutput, images: Int, rotations: [Rotation], labels: UnsafePointer<Int64>?,
    teacherLogits: Tensor?, gradients: LogitGradients
  ) throws -> Losses {
    guard let labels else { preconditionFailure("the trainer checks labels") }
    let classes = output.logits.shape.channels
    var losses = Losses()
    losses.crossEntropy = softmaxCrossEntropy(
      output.logits.pointer, labels: labels, rows: images, classes: classes,
      dLogits: gradients.logits.pointer)
    losses.total = losses.crossEntropy
    losses.accuracy = accuracy(output.logits, labels: labels, images: images)
    return losses
  }
}

/// Generation 0: cross-entropy over rotated images plus the rotation's prediction.
///
///     L0 = CE(logits, labels) + rotationWeight * BCE(rotation logits, one-hot of the rotation)
///
/// The paper passes all four rotations of each image. With fewer views per image, the loss is an
/// unbiased estimate of the paper's, up to batch norm's statistics, at a fraction of its cost.
public struct Generation0Objective: Objective {
  public let name = "Gen0"
  public let readsRotationHead = true
  /// Weight of the rotation loss, the paper's α; it takes 2.
  public let rotationWeight: Float
  public let views = Rotation.allCases
  public let viewsPerImage: Int

  /// - Parameter viewsPerImage: In `1...4`; the paper's is 4.
  public init(rotationWeight: Float, viewsPerImage: Int = 4) {
    precondition((1...Rotation.allCases.count).contains(viewsPerImage))
    (self.rotationWeight, self.viewsPerImage) = (rotationWeight, viewsPerImage)
  }

  public func losses(
    of output: NetworkOutput, images: Int, rotations: [Rotation], labels: UnsafePointer<Int64>?,
    teacherLogits: Tensor?, gradients: LogitGradients
  ) throws -> Losses {
    guard let labels, let rotationLogits = output.rotationLogits else {
      preconditionFailure("the trainer checks labels and the rotation head")
    }
    let rows = rotations.count
    let classLabels = (0..<rows).map { labels[$0 % images] }
    let rotationLabels = rotations.map { Int64($0.rawValue) }
    var losses = Losses()
    losses.crossEntropy = softmaxCrossEntropy(
      output.logits.pointer, labels: classLabels, rows: rows,
      classes: output.logits.shape.channels, dLogits: gradients.logits.pointer)
    losses.rotation = bceWithLogits(
      rotationLogits.pointer, labels: rotationLabels, rows: rows,
      classes: rotationLogits.shape.channels, scale: rotationWeight,
      dLogits: gradients.rotationLogits?.pointer)
    losses.total = losses.crossEntropy + rotationWeight * losses.rotation
    losses.accuracy = accuracy(output.logits, labels: classLabels, images: rows)
    losses.rotationAccuracy = accuracy(rotationLogits, labels: rotationLabels, images: rows)
    return losses
  }
}

/// Generation 1: keep the teacher's outputs on upright images, and pull rotated twins together.
///
///     L1 = KL_T(student, teacher) + twinWeight * mean over twins of || student(x) - student(twin) ||₂
public struct Generation1Objective: Objective {
  public let name = "Gen1"
  public let needsTeacher = true
  public let needsLabels = false
  /// Weight of the twin term, the paper's β.
  public let twinWeight: Float
  public let temperature: Float
  /// The rotations whose mean is the twin term.
  public let twins: [Rotation]
  public let views: [Rotation]

  /// - Parameters:
  ///   - twins: At least one, none of them `.none`.
  ///   - passesAllViews: Passes all four rotations through the student, as the published code
  ///     does, so that all enter its batch statistics.
  public init(twinWeight: Float, temperature: Float, twins: [Rotation], passesAllViews: Bool) {
    precondition(!twins.isEmpty && !twins.contains(.none))
    self.twinWeight = twinWeight
    self.temperature = temperature
    self.twins = twins
    views = [.none] + (passesAllViews ? [.halfTurn, .quarterTurn, .threeQuarterTurn] : twins)
  }

  public func losses(
    of output: NetworkOutput, images: Int, rotations: [Rotation], labels: UnsafePointer<Int64>?,
    teacherLogits: Tensor?, gradients: LogitGradients
  ) throws -> Losses {
    guard let teacherLogits else { preconditionFailure("the trainer brings the teacher") }
    let classes = output.logits.shape.channels
    let upright = output.logits.pointer
    let dUpright = gradients.logits.pointer
    dUpright.update(repeating: 0, count: output.logits.count)
    var losses = Losses()
    losses.distillation = distillKL(
      student: upright, teacher: teacherLogits.pointer, rows: images, classes: classes,
      temperature: temperature, dStudent: dUpright)
    for twin in twins {
      guard let view = views.firstIndex(of: twin) else { preconditionFailure() }
      let offset = view * images * classes
      let distance = twinL2(
        rotated: upright + offset, upright: upright, rows: images, classes: classes,
        scale: twinWeight / Float(twins.count), accumulates: true, dRotated: dUpright + offset,
        dUpright: dUpright)
      losses.twin += distance / Float(twins.count)
    }
    losses.total = losses.distillation + twinWeight * losses.twin
    if let labels { losses.accuracy = accuracy(output.logits, labels: labels, images: images) }
    return losses
  }
}

/// Labels and a teacher on upright images: RFS-distill (Tian et al., arXiv:2003.11539, section 3.3).
///
///     L = crossEntropyWeight * CE(logits, labels) + distillationWeight * KL_T(student, teacher)
public struct DistilledObjective: Objective {
  public let name = "Distilled"
  public let needsTeacher = true
  /// Weight of the cross-entropy, the paper's α; published runs take 0.5.
  public let crossEntropyWeight: Float
  /// Weight of the divergence from the teacher, the paper's β; published runs take 0.5.
  public let distillationWeight: Float
  public let temperature: Float
  public let views: [Rotation] = [.none]

  public init(crossEntropyWeight: Float, distillationWeight: Float, temperature: Float) {
    (self.crossEntropyWeight, self.distillationWeight) = (crossEntropyWeight, distillationWeight)
    self.temperature = temperature
  }

  public func losses(
    of output: NetworkOutput, images: Int, rotations: [Rotation], labels: UnsafePointer<Int64>?,
    teacherLogits: Tensor?, gradients: LogitGradients
  ) throws -> Losses {
    guard let labels, let teacherLogits else {
      preconditionFailure("the trainer checks labels and brings the teacher")
    }
    let (logits, classes) = (output.logits.pointer, output.logits.shape.channels)
    var losses = Losses()
    losses.crossEntropy = softmaxCrossEntropy(
      logits, labels: labels, rows: images, classes: classes, scale: crossEntropyWeight,
      dLogits: gradients.logits.pointer)
    losses.distillation = distillKL(
      student: logits, teacher: teacherLogits.pointer, rows: images, classes: classes,
      temperature: temperature, scale: distillationWeight, accumulates: true,
      dStudent: gradients.logits.pointer)
    losses.total =
      crossEntropyWeight * losses.crossEntropy + distillationWeight * losses.distillation
    losses.accuracy = accuracy(output.logits, labels: labels, images: images)
    return losses
  }
}

/// Fraction of the first `images` rows whose largest logit is at the label.
func accuracy(_ logits: Tensor, labels: UnsafePointer<Int64>, images: Int) -> Float {
  let correct = correctPredictions(
    logits.pointer, labels: labels, rows: images, classes: logits.shape.channels)
  return Float(correct) / Float(images)
}
