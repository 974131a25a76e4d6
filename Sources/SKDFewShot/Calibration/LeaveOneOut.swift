import SKDRuntime

/// Scores of support examples by classifiers that were fitted without them.
///
/// Round r leaves out the r-th example of every class that has others, with all of its copies: each
/// class loses one, so that a balanced support set stays balanced. (Leaving out one example at a
/// time would favour the other classes, and a logistic regression shifts its intercepts by that.)
/// With more than `maximumRounds` examples of a class, a round leaves out several of them.
public struct LeaveOneOut {
  /// Fits are bounded by this number.
  public static let maximumRounds = 10

  /// `[rows, dimensions]`, finite: copies of the examples, in any order.
  public var features: UnsafePointer<Float>
  /// `[rows]` classes in `0..<classes`, every class at least once.
  public var labels: UnsafePointer<Int64>
  /// `[rows]` examples in `0..<count` of which the rows are copies. Every example has a row, and its
  /// rows have one label.
  public var examples: UnsafePointer<Int64>
  public var rows: Int
  public var dimensions: Int
  public var classes: Int
  /// `[count, dimensions]`, finite: each example as a query would be.
  public var plain: UnsafePointer<Float>
  public var count: Int

  public init(
    features: UnsafePointer<Float>, labels: UnsafePointer<Int64>,
    examples: UnsafePointer<Int64>, rows: Int, dimensions: Int, classes: Int,
    plain: UnsafePointer<Float>, count: Int
  ) {
    self.features = features
    self.labels = labels
    self.examples = examples
    self.rows = rows
    self.dimensions = dimensions
    self.classes = classes
    self.plain = plain
    self.count = count
  }

  /// An example, with the scores of a classifier that was fitted without it.
  struct HeldOut {
    let example: Int
    let label: Int
    /// A score for each class.
    let scores: [Double]
    /// Mean margin of the classifier's own examples; see `margin`.
    let margin: Double
  }

  /// Fits the classifiers and scores the examples that they have not seen, rounds in parallel. The
  /// only example of a class is never left out.
  ///
  /// - Throws: `SKDError.outOfMemory`.
  func heldOut(with kind: FewShotClassifier.Kind) throws -> [HeldOut] {
    let labels = exampleLabels()
    let rounds = rounds(labels)
    let parts = try rounds.map { try Fit(self, without: $0, kind) }
    var found = [[HeldOut]](repeating: [], count: parts.count)
    found.withUnsafeMutableBufferPointer { found in
      WorkerPool.shared.forEach(parts.count) { round, _ in
        parts[round].fit()
        let margin = parts[round].margin(labels)
        found[round] = rounds[round].map { example in
          HeldOut(
            example: example, label: labels[example], scores: parts[round].scores(of: example),
            margin: margin)
        }
      }
    }
    return found.flatMap(\.self)
  }

  /// The mean margin of a classifier that is fitted to all rows, over the examples:
  ///
  ///     margin = mean_e ( score_e[label_e] - mean of the other scores_e )
  ///
  /// - Throws: `SKDError.outOfMemory`.
  func margin(of kind: FewShotClassifier.Kind) throws -> Double {
    let whole = try Fit(self, without: [], kind)
    whole.fit()
    return whole.margin(exampleLabels())
  }

  /// The examples that each round leaves out.
  private func rounds(_ labels: [Int]) -> [[Int]] {
    var ofClass = [[Int]](repeating: [], count: classes)
    for (example, label) in labels.enumerated() { ofClass[label].append(example) }
    let most = ofClass.reduce(0) { max($0, $1.count) }
    if most < 2 { return [] }
    var rounds = [[Int]](repeating: [], count: min(most, Self.maximumRounds))
    for examples in ofClass where examples.count > 1 {
      for (place, example) in examples.enumerated() {
        rounds[place % rounds.count].append(example)
      }
    }
    return rounds
  }

  private func exampleLabels() -> [Int] {
    var found = [Int](repeating: 0, count: count)
    for row in 0..<rows { found[Int(examples[row])] = Int(labels[row]) }
    return found
  }

  /// A classifier of some of the examples.
  private final class Fit {
    private let all: LeaveOneOut
    private let classifier: FewShotClassifier
    private let rows: AlignedBuffer<Float>
    private let labels: [Int64]
    private let isLeft: [Bool]

    init(_ all: LeaveOneOut, without left: [Int], _ kind: FewShotClassifier.Kind) throws {
      self.all = all
      var isLeft = [Bool](repeating: false, count: all.count)
      for example in left { isLeft[example] = true }
      self.isLeft = isLeft
      let kept = (0..<all.rows).filter { !isLeft[Int(all.examples[$0])] }
      labels = kept.map { all.labels[$0] }
      rows = try AlignedBuffer(count: kept.count * all.dimensions)
      for (place, row) in kept.enumerated() {
        (rows.pointer + place * all.dimensions).update(
          from: all.features + row * all.dimensions, count: all.dimensions)
      }
      classifier = try FewShotClassifier(
        kind, rows: kept.count, dimensions: all.dimensions, classes: all.classes)
    }

    func fit() {
      labels.withUnsafeBufferPointer {
        // There is a row of every class.
        guard let labels = $0.baseAddress else { return }
        classifier.fit(rows.pointer, labels: labels)
      }
    }

    func scores(of example: Int) -> [Double] {
      [Double](unsafeUninitializedCapacity: all.classes) { scores, count in
        guard let pointer = scores.baseAddress else { return }
        classifier.scores(of: all.plain + example * all.dimensions, into: pointer)
        count = all.classes
      }
    }

    func margin(_ labels: [Int]) -> Double {
      if all.classes < 2 { return 0 }
      let own = (0..<all.count).filter { !isLeft[$0] }
      let sum = own.reduce(0.0) { sum, example in
        let scores = scores(of: example)
        let label = scores[labels[example]]
        return sum + label - (scores.reduce(0, +) - label) / Double(all.classes - 1)
      }
      return sum / Double(own.count)
    }
  }
}
