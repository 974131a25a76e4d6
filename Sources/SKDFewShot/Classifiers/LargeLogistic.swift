import SKDKernels
import SKDRuntime

/// The memory and the method of a large `LogisticRegression`: Newton's method, whose steps come from
/// preconditioned conjugate gradients (Nocedal and Wright, "Numerical Optimization", algorithm 7.1) on
/// matrices of all classes.
///
/// The preconditioner treats each distribution as spread equally over the classes. Then the Hessian is
/// the same for every class, `spread XᵀX + penalty`, and one factorisation serves all of them. It is exact
/// where the fit begins; later a few products with the true Hessian correct it.
///
/// The samples are centred, so intercepts and coefficients hardly depend on each other. With at most as
/// many samples as dimensions, the unknowns are A, where W = A X; the inner product of two W is the product
/// of one's A with the other's logits.
final class LargeLogistic {
  typealias Vector = UnsafeMutablePointer<Double>

  private let rows: Int
  private let dimensions: Int
  private let classes: Int
  private let featureLength: Int
  private let sampleLength: Int
  private let usesSamples: Bool
  private let features: AlignedBuffer<Double>  // centred, [rows, featureLength]
  private let transposed: AlignedBuffer<Double>  // [dimensions, sampleLength]
  private let mean: AlignedBuffer<Double>
  private let products: AlignedBuffer<Double>  // X Xᵀ or XᵀX, like system.matrix
  private let labels: AlignedBuffer<Int32>
  private let system: SharedSystem
  private let memory: AlignedBuffer<Double>

  // Set by `fit`.
  private var penalty = 1.0  // 1 / C
  private var meanSquare = 0.0  // on the diagonal of `products`
  private var spread = 0.0  // of the last factorisation
  private var factoredPenalty = 1.0  // likewise
  private var state = SoftmaxDerivatives()

  /// - Throws: `SKDError.outOfMemory`.
  init(rows: Int, dimensions: Int, classes: Int) throws {
    self.rows = rows
    self.dimensions = dimensions
    self.classes = classes
    featureLength = paddedRowLength(dimensions)
    sampleLength = paddedRowLength(rows)
    usesSamples = rows <= dimensions
    features = try AlignedBuffer(count: rows * featureLength)
    transposed = try AlignedBuffer(count: dimensions * sampleLength)
    mean = try AlignedBuffer(count: featureLength)
    labels = try AlignedBuffer(count: rows)
    system = try SharedSystem(count: min(rows, dimensions))
    products = try AlignedBuffer(count: system.count * system.length)
    memory = try AlignedBuffer(
      count: classes * (5 * system.length + 5 * sampleLength + (usesSamples ? featureLength : 0))
        + BlockedCholesky.solveScratchCount(rows: classes) + 6 * paddedRowLength(classes)
        + 5 * sampleLength)
  }

  // MARK: Memory

  private var size: Int { classes * system.length }
  private var logitCount: Int { classes * sampleLength }
  private var interceptLength: Int { paddedRowLength(classes) }

  // Unknowns, [classes, system.length].
  private var point: Vector { memory.pointer }
  private var rest: Vector { point + size }  // minus the gradient, minus the Hessian times `step`
  private var step: Vector { rest + size }
  private var preconditioned: Vector { step + size }
  private var direction: Vector { preconditioned + size }
  private var scratch: Vector { direction + size }
  // Logits without intercepts and their gradients, [classes, sampleLength].
  private var logits: Vector { scratch + BlockedCholesky.solveScratchCount(rows: classes) }
  private var residual: Vector { logits + logitCount }
  private var dLogits: Vector { residual + logitCount }  // of `step`
  private var directionLogits: Vector { dLogits + logitCount }
  private var product: Vector { directionLogits + logitCount }
  // Intercepts, [classes].
  private var intercepts: Vector { product + logitCount }
  private var restOfIntercepts: Vector { intercepts + interceptLength }
  private var dIntercepts: Vector { restOfIntercepts + interceptLength }
  private var preconditionedIntercepts: Vector { dIntercepts + interceptLength }
  private var directionIntercepts: Vector { preconditionedIntercepts + interceptLength }
  private var productIntercepts: Vector { directionIntercepts + interceptLength }
  private var stripes: Vector { productIntercepts + interceptLength }  // [5, sampleLength]
  private var weights: Vector { stripes + 5 * sampleLength }  // W, where the unknowns are not

  // MARK: The method

  /// Writes `coefficients`, `[classes, featureLength]`, and `intercepts`, but for a constant.
  func fit(
    _ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>, _ options: FitOptions,
    coefficients: UnsafeMutablePointer<Double>, intercepts: UnsafeMutablePointer<Double>
  ) -> FitOutcome {
    prepare(features, labels: labels)
    penalty = options.penalty
    let outcome = minimize(options)
    if usesSamples {
      multiplyByFeatures(point, into: coefficients)
    } else {
      coefficients.update(from: point, count: size)
    }
    for k in 0..<classes {
      intercepts[k] =
        self.intercepts[k]
        - dotProduct(mean.pointer, coefficients + k * featureLength, length: featureLength)
    }
    return outcome
  }

  private func prepare(_ features: UnsafePointer<Float>, labels: UnsafePointer<Int64>) {
    for n in 0..<rows { self.labels.pointer[n] = Int32(labels[n]) }
    let x = self.features.pointer
    widenRows(features, rows: rows, count: dimensions, length: featureLength, into: x)
    centreRows(x, rows: rows, length: featureLength, mean: mean.pointer)
    transpose(
      x, rows: rows, columns: dimensions, length: featureLength, outputLength: sampleLength,
      into: transposed.pointer)
    multiplyRowsByEachOther(
      usesSamples ? x : transposed.pointer, rows: system.count,
      length: usesSamples ? featureLength : sampleLength, into: products.pointer,
      outputLength: system.length)
    meanSquare =
      (0..<system.count).reduce(0) { $0 + products.pointer[$1 * (system.length + 1)] }
      / Double(system.count)
  }

  private func minimize(_ options: FitOptions) -> FitOutcome {
    clearLarge(point, length: size)
    clearLarge(logits, length: logitCount)
    clearLarge(dLogits, length: logitCount)
    intercepts.update(repeating: 0, count: interceptLength)
    dIntercepts.update(repeating: 0, count: interceptLength)
    spread = 0
    evaluate(at: 0)
    var (smallest, failures) = (Double.infinity, 0)
    for iteration in 0..<max(options.maximumIterations, 0) {
      let gradient = updateGradient(isFirst: iteration == 0)
      if gradient < options.tolerance {
        return FitOutcome(iterations: iteration, isConverged: true)
      }
      // Rounding hides any further descent.
      failures = gradient < smallest ? 0 : failures + 1
      smallest = min(smallest, gradient)
      if failures == Self.mostFailures || !gradient.isFinite {
        return FitOutcome(iterations: iteration, isConverged: false)
      }
      factorIfChanged()
      let accuracy = max(0.03, min(0.1, 0.3 * options.tolerance / gradient))
      let slope = chooseStep(accuracy: accuracy, products: iteration == 0 ? 1 : Self.mostProducts)
      guard let t = searchLine(slope) else {
        return FitOutcome(iterations: iteration, isConverged: false)
      }
      addScaledLarge(step, by: t, length: size, to: point)
      addScaledLarge(dLogits, by: t, length: logitCount, to: logits)
      addScaled(dIntercepts, by: t, length: interceptLength, to: intercepts)
    }
    let gradient = updateGradient(isFirst: options.maximumIterations <= 0)
    return FitOutcome(
      iterations: max(options.maximumIterations, 0), isConverged: gradient < options.tolerance)
  }

  private static let mostFailures = 5
  private static let mostProducts = 100  // with the Hessian, of a step

  /// Writes the residual at `t` along the step.
  private func evaluate(at t: Double) {
    state = softmaxAlongLineInStripes(
      logits: logits, intercepts: intercepts, dLogits: dLogits, dIntercepts: dIntercepts, at: t,
      labels: labels.pointer, samples: rows, classes: classes, length: sampleLength,
      residual: residual, scratch: stripes)
  }

  /// Writes minus the gradient to `rest`, from the residual; returns the largest entry of the gradient of
  /// W and of the intercepts, for samples that are not centred.
  private func updateGradient(isFirst: Bool) -> Double {
    sumLargeRows(residual, rows: classes, length: sampleLength, into: restOfIntercepts)
    scale(restOfIntercepts, by: -1, length: interceptLength, into: restOfIntercepts)
    if usesSamples {
      scaleLarge(residual, by: -1, length: size, into: rest)
    } else if isFirst {
      // All probabilities are equal, and the samples sum to 0.
      sumRowsOfClasses(
        features.pointer, labels: labels.pointer, rows: rows, classes: classes,
        length: featureLength, into: rest)
    } else {
      multiplyByFeatures(residual, into: rest)
      scaleLarge(rest, by: -1, length: size, into: rest)
    }
    addScaledLarge(point, by: -penalty, length: size, to: rest)
    if usesSamples { multiplyByFeatures(rest, into: weights) }
    return largestGradient(usesSamples ? weights : rest)
  }

  /// The largest entry, infinite if one is not finite.
  private func largestGradient(_ gradient: UnsafePointer<Double>) -> Double {
    var largest = 0.0
    for k in 0..<classes {
      let offset = restOfIntercepts[k]
      let ofWeights = largestMagnitude(
        gradient + k * featureLength, plus: mean.pointer, by: offset, length: featureLength)
      guard ofWeights.isFinite && offset.isFinite else { return .infinity }
      largest = max(largest, ofWeights, offset.magnitude)
    }
    return largest
  }

  /// `output = a X`, for `[classes, sampleLength]`.
  private func multiplyByFeatures(_ a: UnsafePointer<Double>, into output: Vector) {
    multiplyRows(
      a, aRows: classes, aLength: sampleLength, transposed.pointer, bRows: dimensions,
      bLength: sampleLength, depth: sampleLength, into: output, outputLength: featureLength)
  }

  // MARK: The step

  /// Factors the preconditioner, unless the distributions are about as spread as at the last time.
  private func factorIfChanged() {
    let current = max(
      state.spread / Double(rows * (classes - 1)), Double.ulpOfOne / Double(classes))
    if spread > 0, (0.7...1.4).contains(current / spread) { return }
    spread = current
    factoredPenalty = max(penalty, Self.leastRelativePenalty * spread * meanSquare)
    scaleLarge(products.pointer, by: spread, length: products.capacity, into: system.matrix)
    system.factor(adding: factoredPenalty)
  }

  /// Preconditions `rest`. Where the unknowns are A, also writes the logits of the result to `product`.
  ///
  /// - Returns: The inner product of both.
  private func precondition() -> Double {
    scaleLarge(rest, by: 1, length: size, into: preconditioned)
    system.solve(preconditioned, rows: classes, scratch: scratch)
    scale(
      restOfIntercepts, by: 1 / (spread * Double(rows)), length: interceptLength,
      into: preconditionedIntercepts)
    if usesSamples { writePreconditionedLogits() }
    return largeDotProduct(rest, usesSamples ? product : preconditioned, length: size)
      + dotProduct(restOfIntercepts, preconditionedIntercepts, length: interceptLength)
  }

  /// product = preconditioned X Xᵀ, from the equations that `preconditioned` = z solves:
  ///
  ///     z (spread X Xᵀ + penalty) = rest    =>    z X Xᵀ = (rest - penalty z) / spread
  ///
  /// The difference saves a matrix product. Under a very large penalty, only its rounding would be left.
  private func writePreconditionedLogits() {
    if factoredPenalty > Self.mostRelativePenalty * spread * meanSquare {
      multiplyRows(
        preconditioned, aRows: classes, aLength: sampleLength, products.pointer, bRows: rows,
        bLength: sampleLength, depth: sampleLength, into: product, outputLength: sampleLength)
    } else {
      scaleLarge(preconditioned, by: -factoredPenalty / spread, length: size, into: product)
      addScaledLarge(rest, by: 1 / spread, length: size, to: product)
    }
  }

  /// Penalties relative to `spread` times the mean square of the features. Below the least one, unknowns
  /// that hardly change the logits would grow too large to be exact; the preconditioner may differ.
  private static let leastRelativePenalty = 1e-8
  private static let mostRelativePenalty = 1e6

  /// Writes a step that solves Newton's equations to a relative accuracy, and its logits.
  ///
  /// - Returns: Slope of the objective along the step.
  private func chooseStep(accuracy: Double, products: Int) -> Double {
    var decrease = 0.0
    var square = precondition()  // of the rest, in the norm of the preconditioner
    let first = square
    var factor = 0.0
    for number in 1...products {
      updateDirection(factor)
      let curvature =
        softmaxHessianProduct(
          residual: residual, labels: labels.pointer, dLogits: directionLogits,
          dIntercepts: directionIntercepts, samples: rows, classes: classes,
          length: sampleLength, product: product, scratch: stripes) + penalty
        * largeDotProduct(direction, usesSamples ? directionLogits : direction, length: size)
      let t = square / curvature
      guard t > 0, t.isFinite else { break }
      let extend = number == 1 ? scaleLarge : addScaledLarge
      extend(direction, t, size, step)
      extend(directionLogits, t, logitCount, dLogits)
      extend(directionIntercepts, t, interceptLength, dIntercepts)
      decrease += t * square
      if number == products { break }
      subtractProduct(t)
      let next = precondition()
      guard next > accuracy * accuracy * first, next.isFinite else { break }
      factor = next / square
      square = next
    }
    return -decrease
  }

  /// direction = preconditioned + factor direction, and its logits. With a factor of 0, what the
  /// direction was does not matter.
  private func updateDirection(_ factor: Double) {
    func update(_ direction: Vector, by preconditioned: Vector, _ length: Int) {
      if factor == 0 {
        scaleLarge(preconditioned, by: 1, length: length, into: direction)
      } else {
        scaleAndAddLarge(preconditioned, by: factor, length: length, to: direction)
      }
    }
    update(direction, by: preconditioned, size)
    update(directionIntercepts, by: preconditionedIntercepts, interceptLength)
    if usesSamples {
      update(directionLogits, by: product, size)
    } else {
      multiplyRows(
        direction, aRows: classes, aLength: featureLength, features.pointer, bRows: rows,
        bLength: featureLength, depth: featureLength, into: directionLogits,
        outputLength: sampleLength)
    }
  }

  /// rest -= t (the Hessian times the direction), from its product with the logits.
  private func subtractProduct(_ t: Double) {
    sumLargeRows(product, rows: classes, length: sampleLength, into: productIntercepts)
    addScaled(productIntercepts, by: -t, length: interceptLength, to: restOfIntercepts)
    if !usesSamples { multiplyByFeatures(product, into: preconditioned) }
    addScaledLarge(usesSamples ? product : preconditioned, by: -t, length: size, to: rest)
    addScaledLarge(direction, by: -t * penalty, length: size, to: rest)
  }

  /// A factor of the step at which the slope is a tenth of that at 0 or less, or nil if rounding hides it;
  /// see `LogisticMinimizer`. Leaves the residual there.
  private func searchLine(_ initialSlope: Double) -> Double? {
    guard initialSlope < 0, initialSlope.isFinite else { return nil }
    let image = usesSamples ? dLogits : step
    let linear = penalty * largeDotProduct(point, image, length: size)
    let quadratic = penalty * largeDotProduct(step, image, length: size)
    return stepOfSmallSlope(initialSlope: initialSlope, start: 1) { t in
      evaluate(at: t)
      return (state.slope + linear + t * quadratic, state.curvature + quadratic)
    }
  }
}
