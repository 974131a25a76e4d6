/// Hyper-parameters of `BDCSPN`.
public struct BDCSPNOptions: Sendable, Equatable {
  /// ε: factor of the cosines in the softmax; positive.
  public var scale: Double
  /// Z: most queries of a class that join its support rows; `>= 0`.
  public var pseudoLabels: Int

  public init(scale: Double = 10, pseudoLabels: Int = 8) {
    self.scale = scale
    self.pseudoLabels = pseudoLabels
  }
}

/// Hyper-parameters of `LaplacianShot`.
public struct LaplacianShotOptions: Sendable, Equatable {
  /// λ: weight of the agreement of neighbours; `>= 0`.
  public var weight: Double
  /// k: neighbours of a query; `>= 1`.
  public var neighbors: Int
  /// Whether the mean of the episode is subtracted.
  public var centers: Bool
  /// Whether prototypes are rectified by the queries.
  public var rectifies: Bool
  /// ε: factor of the cosines of the rectification; positive.
  public var scale: Double
  /// Most iterations; `>= 1`.
  public var iterations: Int

  public init(
    weight: Double = 0.5, neighbors: Int = 3, centers: Bool = true, rectifies: Bool = true,
    scale: Double = 10, iterations: Int = 20
  ) {
    self.weight = weight
    self.neighbors = neighbors
    self.centers = centers
    self.rectifies = rectifies
    self.scale = scale
    self.iterations = iterations
  }
}

/// Hyper-parameters of `TIM`.
public struct TIMOptions: Sendable, Equatable {
  /// Factor of the squared distances in the softmax; positive.
  public var temperature: Double
  public var crossEntropyWeight: Double
  public var marginalEntropyWeight: Double
  public var conditionalEntropyWeight: Double
  /// Learning rate of Adam; positive.
  public var learningRate: Double
  /// Steps of Adam; `>= 0`.
  public var steps: Int
  /// Exponent of Tsallis' entropies, above 1; nil for Shannon's.
  public var alpha: Double?

  public init(
    temperature: Double = 15, crossEntropyWeight: Double = 0.1, marginalEntropyWeight: Double = 1,
    conditionalEntropyWeight: Double = 0.1, learningRate: Double = 1e-4, steps: Int = 1000,
    alpha: Double? = nil
  ) {
    self.temperature = temperature
    self.crossEntropyWeight = crossEntropyWeight
    self.marginalEntropyWeight = marginalEntropyWeight
    self.conditionalEntropyWeight = conditionalEntropyWeight
    self.learningRate = learningRate
    self.steps = steps
    self.alpha = alpha
  }
}

/// Hyper-parameters of `PTMAP`.
public struct PTMAPOptions: Sendable, Equatable {
  /// β: exponent of the power transform; positive.
  public var power: Double
  /// λ: factor of the squared distances; positive.
  public var scale: Double
  /// α: share by which a centre moves to the mean of its samples, at most 1; positive.
  public var learningRate: Double
  /// Moves of the centres; `>= 0`.
  public var steps: Int

  public init(
    power: Double = 0.5, scale: Double = 10, learningRate: Double = 0.2, steps: Int = 20
  ) {
    self.power = power
    self.scale = scale
    self.learningRate = learningRate
    self.steps = steps
  }
}
