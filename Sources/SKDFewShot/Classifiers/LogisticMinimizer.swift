import SKDKernels
import SKDRuntime

/// Minimises the objective of `LogisticRegression` by L-BFGS (Nocedal and Wright, "Numerical
/// Optimization", algorithm 7.4), with a line search by Newton's method on the slope.
///
/// A vector holds coefficients `[classes, length]` and intercepts. In the coordinates of the
/// samples, where W = A X, it also holds the images A X Xᵀ of its coefficients: the inner product
/// of two W is the product of one's coefficients with the other's images, so the iterates equal the
/// iterates of L-BFGS on W itself, and the images are the logits.
final class LogisticMinimizer {
  /// Coordinates of the coefficients.
  enum Coordinates {
    /// W itself, for `[samples, featureLength]`.
    case features(UnsafePointer<Double>)
    /// A, where W = A X, for the Gram matrix `[samples, sampleLength]`.
    case samples(gram: UnsafePointer<Double>)
  }

  private typealias Vector = UnsafeMutablePointer<Double>

  private static let historyCount = 10

  private let samples: Int
  private let classes: Int
  private let featureLength: Int
  private let sampleLength: Int
  private let logitCount: Int  // of [classes, sampleLength]
  private let memory: AlignedBuffer<Double>
  private var curvatures = [Double](repeating: 0, count: historyCount)
  private var projections = [Double](repeating: 0, count: historyCount)

  // Set by `minimize` for its coordinates.
  private var coefficientCount = 0
  private var imageOffset = 0  // from the coefficients of a vector; 0 if they are their images
  private var interceptOffset = 0
  private var vectorSize = 0

  init(samples: Int, classes: Int, featureLength: Int, usesSamples: Bool) throws {
    self.samples = samples
    self.classes = classes
    self.featureLength = featureLength
    sampleLength = paddedRowLength(samples)
    logitCount = classes * sampleLength
    let coefficientCount = max(classes * featureLength, usesSamples ? 2 * logitCount : 0)
    let vectorSize = coefficientCount + paddedRowLength(classes)
    memory = try AlignedBuffer(
      count: 3 * logitCount + 4 * sampleLength + (3 + 2 * Self.historyCount) * vectorSize)
  }

  /// Result of the last call: `[classes, length]` in its coordinates.
  var coefficients: UnsafePointer<Double> { UnsafePointer(point) }
  /// `[classes]`.
  var intercepts: UnsafePointer<Double> { UnsafePointer(point + interceptOffset) }

  // MARK: Memory

  private var residual: Vector { memory.pointer }
  private var ownLogits: Vector { residual + logitCount }
  private var ownDLogits: Vector { ownLogits + logitCount }
  private var scratch: Vector { ownDLogits + logitCount }
  private var point: Vector { scratch + 4 * sampleLength }
  private var gradient: Vector { point + vectorSize }
  private var direction: Vector { gradient + vectorSize }
  private func step(_ i: Int) -> Vector { direction + (1 + 2 * i) * vectorSize }
  private func change(_ i: Int) -> Vector { step(i) + vectorSize }

  /// Logits without intercepts: images of the coefficients where vectors have them.
  private var logits: Vector { imageOffset > 0 ? point + imageOffset : ownLogits }
  private var dLogits: Vector { imageOffset > 0 ? direction + imageOffset : ownDLogits }

  // MARK: The method

  /// Minimises from `start` (coefficients, then intercepts; zero if nil).
  ///
  /// Iterations end when the gradient with respect to W and b is below the tolerance: its largest
  /// entry, or its norm in the coordinates of the samples.
  func minimize(
    in coordinates: Coordinates, from start: UnsafePointer<Double>? = nil,
    labels: UnsafePointer<Int32>, _ options: FitOptions
  ) -> FitOutcome {
    layOut(coordinates)
    memory.pointer.update(repeating: 0, count: memory.capacity)
    let penalty = 1 / options.inverseRegularization
    if let start { point.update(from: start, count: vectorSize) }
    multiply(point, in: coordinates, into: logits)
    _ = evaluate(at: 0, labels: labels)
    updateGradient(in: coordinates, penalty: penalty)

    var (stored, newest) = (0, -1)
    func outcome(after iterations: Int) -> FitOutcome {
      FitOutcome(
        iterations: iterations, isConverged: isConverged(in: coordinates, options.tolerance))
    }
    for iteration in 0..<max(options.maximumIterations, 0) {
      if isConverged(in: coordinates, options.tolerance) { return outcome(after: iteration) }
      chooseDirection(stored: stored, newest: newest)
      multiply(direction, in: coordinates, into: dLogits)
      guard let t = searchLine(labels: labels, penalty: penalty, isScaled: stored > 0) else {
        return outcome(after: iteration)
      }

      newest = (newest + 1) % Self.historyCount
      let (step, change) = (step(newest), change(newest))
      scale(direction, by: t, length: vectorSize, into: step)
      addScaled(step, by: 1, length: vectorSize, to: point)
      if imageOffset == 0 { addScaled(dLogits, by: t, length: logitCount, to: logits) }
      scale(gradient, by: -1, length: vectorSize, into: change)
      updateGradient(in: coordinates, penalty: penalty)
      addScaled(gradient, by: 1, length: vectorSize, to: change)
      curvatures[newest] = product(step, change)
      stored = min(stored + 1, Self.historyCount)
      guard curvatures[newest] > 0 else { return outcome(after: iteration + 1) }  // at the floor
    }
    return outcome(after: max(options.maximumIterations, 0))
  }

  private func layOut(_ coordinates: Coordinates) {
    switch coordinates {
    case .features:
      coefficientCount = classes * featureLength
      imageOffset = 0
      interceptOffset = coefficientCount
    case .samples:
      coefficientCount = logitCount
      imageOffset = coefficientCount
      interceptOffset = 2 * coefficientCount
    }
    vectorSize = interceptOffset + paddedRowLength(classes)
  }

  /// The inner product of W, without intercepts.
  private func coefficientProduct(_ a: Vector, _ b: Vector) -> Double {
    dotProduct(a, b + imageOffset, length: coefficientCount)
  }

  private func product(_ a: Vector, _ b: Vector) -> Double {
    coefficientProduct(a, b)
      + dotProduct(a + interceptOffset, b + interceptOffset, length: paddedRowLength(classes))
  }

  /// Logits of a vector, where it does not hold them itself.
  private func multiply(_ vector: Vector, in coordinates: Coordinates, into logits: Vector) {
    guard case .features(let features) = coordinates else { return }
    multiplyByTranspose(
      vector, aRows: classes, features, bRows: samples, length: featureLength,
      outputLength: sampleLength, into: logits)
  }

  /// Writes the residual at `t` along the direction.
  private func evaluate(at t: Double, labels: UnsafePointer<Int32>) -> (
    slope: Double, curvature: Double
  ) {
    softmaxAlongLine(
      logits: logits, intercepts: point + interceptOffset, dLogits: dLogits,
      dIntercepts: direction + interceptOffset, at: t, labels: labels, samples: samples,
      classes: classes, length: sampleLength, residual: residual, scratch: scratch)
  }

  /// From the residual: Xᵀ residual + penalty W, in the coordinates at hand.
  private func updateGradient(in coordinates: Coordinates, penalty: Double) {
    switch coordinates {
    case .features(let features):
      combineRows(
        residual, aRows: classes, aLength: sampleLength, features, bRows: samples,
        length: featureLength, into: gradient)
      addScaled(point, by: penalty, length: coefficientCount, to: gradient)
    case .samples(let gram):
      gradient.update(from: residual, count: logitCount)
      addScaled(point, by: penalty, length: coefficientCount, to: gradient)
      multiplyByTranspose(
        gradient, aRows: classes, gram, bRows: samples, length: sampleLength,
        outputLength: sampleLength, into: gradient + imageOffset)
    }
    sumRows(residual, rows: classes, length: sampleLength, into: gradient + interceptOffset)
  }

  private func isConverged(in coordinates: Coordinates, _ tolerance: Double) -> Bool {
    switch coordinates {
    case .features: return largestMagnitude(gradient, length: vectorSize) < tolerance
    case .samples: return product(gradient, gradient) < tolerance * tolerance
    }
  }

  /// direction = -H gradient, by the two loops over the history; newest first, then oldest first.
  private func chooseDirection(stored: Int, newest: Int) {
    scale(gradient, by: -1, length: vectorSize, into: direction)
    guard stored > 0 else { return }
    let recent = (0..<stored).map { (newest - $0 + Self.historyCount) % Self.historyCount }
    for i in recent {
      projections[i] = product(step(i), direction) / curvatures[i]
      addScaled(change(i), by: -projections[i], length: vectorSize, to: direction)
    }
    let initialScale = curvatures[newest] / product(change(newest), change(newest))
    scale(direction, by: initialScale, length: vectorSize, into: direction)
    for i in recent.reversed() {
      let correction = projections[i] - product(change(i), direction) / curvatures[i]
      addScaled(step(i), by: correction, length: vectorSize, to: direction)
    }
  }

  /// A step at which the slope is a tenth of that at 0 or less, or nil if rounding hides it.
  ///
  /// The objective is convex, so a small slope alone tells that the step is near the minimum along
  /// the line; values, which rounding blurs first, are not needed. Leaves the residual there.
  /// `isScaled` says that the direction has the length of a step; a bare gradient has not.
  private func searchLine(
    labels: UnsafePointer<Int32>, penalty: Double, isScaled: Bool
  ) -> Double? {
    let initialSlope = product(gradient, direction)
    guard initialSlope < 0, initialSlope.isFinite else { return nil }
    let linear = penalty * coefficientProduct(point, direction)
    let quadratic = penalty * coefficientProduct(direction, direction)
    let start =
      isScaled ? 1 : -initialSlope / (evaluate(at: 0, labels: labels).curvature + quadratic)
    return stepOfSmallSlope(initialSlope: initialSlope, start: start) { t in
      let line = evaluate(at: t, labels: labels)
      return (line.slope + linear + t * quadratic, line.curvature + quadratic)
    }
  }
}
