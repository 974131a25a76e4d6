import SKDKernels
import SKDNN

/// Labels and a teacher on upright images: RFS-distill (Tian et al., arXiv:2003.11539, section 3.3).
///
///     L = alpha * CE(logits, labels) + beta * KL_T(student, teacher)
public struct DistilledObjective: Objective {
  public let name = "Distilled"
  public let needsTeacher = true
  /// Weight of the cross-entropy; published runs have 0.5.
  public let alpha: Float
  /// Weight of the divergence from the teacher; published runs have 0.5.
  public let beta: Float
  public let temperature: Float
  public let views: [Rotation] = [.none]

  public init(alpha: Float, beta: Float, temperature: Float) {
    (self.alpha, self.beta, self.temperature) = (alpha, beta, temperature)
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
      logits, labels: labels, rows: images, classes: classes, scale: alpha,
      dLogits: gradients.logits.pointer)
    losses.distillation = distillKL(
      student: logits, teacher: teacherLogits.pointer, rows: images, classes: classes,
      temperature: temperature, scale: beta, accumulates: true,
      dStudent: gradients.logits.pointer)
    losses.total = alpha * losses.crossEntropy + beta * losses.distillation
    losses.accuracy = accuracy(output.logits, labels: labels, images: images)
    return losses
  }
}
