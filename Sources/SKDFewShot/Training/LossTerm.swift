import SKDKernels
import SKDNN
import SKDRuntime

/// A term that joins the loss of an objective: `weight * value` of a function of the logits or of
/// the embedding.
public struct LossTerm {
  /// Input of the function.
  public enum Source: Sendable { case logits, embedding }

  /// Arguments of the function.
  public struct Input {
    /// `[views.count * images, dimensions]`: all images in the first view, then in the second ...
    public let rows: Tensor
    public let images: Int
    /// One class per image, or nil if the step has none.
    public let labels: UnsafePointer<Int64>?
    /// Rotation of each view, upright first.
    public let views: [Rotation]
  }

  public let name: String
  public let source: Source
  /// Weight of value and gradient; any finite number.
  public let weight: Float
  /// The value, and the gradient with respect to the rows: of their extent, and valid until the
  /// step ends.
  public let function: (Input) throws -> (value: Double, gradient: UnsafePointer<Float>)

  public init(
    name: String, source: Source, weight: Float,
    function: @escaping (Input) throws -> (value: Double, gradient: UnsafePointer<Float>)
  ) {
    (self.name, self.source, self.weight, self.function) = (name, source, weight, function)
  }
}

extension Trainer {
  /// Adds terms to the total and their gradients to the gradient of the logits.
  ///
  /// - Returns: The gradient of the embedding; nil if no term reads it.
  /// - Throws: `SKDError.nonFinite` if a value or gradient is not finite; errors of the functions.
  func add(
    _ terms: [LossTerm], of output: NetworkOutput, images: Int, labels: UnsafePointer<Int64>?,
    to losses: inout Losses, dLogits: Tensor
  ) throws -> Tensor? {
    var dEmbedding: Tensor?
    for term in terms {
      let rows = term.source == .logits ? output.logits : output.embedding
      let (value, gradient) = try term.function(
        LossTerm.Input(rows: rows, images: images, labels: labels, views: objective.views))
      let isFinite = value.isFinite && allFinite(gradient, count: rows.count)
      guard isFinite else {
        throw SKDError.nonFinite(
          "\(value.isFinite ? "the gradient of " : "")term '\(term.name)' of step "
            + "\(stepCount + 1) is not finite: value \(value); nothing was updated")
      }
      let target: Tensor
      switch term.source {
      case .logits:
        target = dLogits
      case .embedding:
        target = try dEmbedding ?? zeros(like: rows)
        dEmbedding = target
      }
      addInPlace(target.pointer, gradient, scale: term.weight, count: rows.count)
      losses.total += term.weight * Float(value)
    }
    return dEmbedding
  }

  private func zeros(like tensor: Tensor) throws -> Tensor {
    let zeros = try network.pool.tensor(tensor.shape)
    zeros.pointer.update(repeating: 0, count: zeros.count)
    return zeros
  }
}
