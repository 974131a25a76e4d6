/// The least cosine with the nearest class mean at which a query counts as one of the known classes.
public enum RejectionThreshold {
  /// The threshold that is expected to accept a share of the queries of known classes.
  ///
  /// It is that quantile of the cosines of support examples which a mean was computed without
  /// (`LeaveOneOut`). If every class has a single example, nothing tells how near a class is to
  /// itself; the threshold is then the mean over all examples of the cosine with the nearest mean of
  /// the other classes, as an image of an unknown class would have it.
  ///
  /// - Parameter knownRate: Share of the queries of known classes to accept, `0..<1`.
  /// - Throws: `SKDError.outOfMemory`.
  public static func threshold(_ support: LeaveOneOut, knownRate: Double) throws -> Double {
    let known = try support.heldOut(with: .nearestCentroid(.cosine)).map {
      $0.scores.reduce(-.infinity, max)
    }
    return try known.isEmpty
      ? meanNearnessToOthers(support) : quantile(known.sorted(), 1 - knownRate)
  }

  /// The quantile of ascending values, interpolated linearly.
  static func quantile(_ values: [Double], _ share: Double) -> Double {
    let place = share * Double(values.count - 1)
    let below = min(Int(place), values.count - 1)
    let above = min(below + 1, values.count - 1)
    return values[below] + (place - Double(below)) * (values[above] - values[below])
  }

  private static func meanNearnessToOthers(_ support: LeaveOneOut) throws -> Double {
    let prototypes = try NearestPrototype(
      .cosine, count: support.classes, dimensions: support.dimensions)
    prototypes.setCentroids(support.features, labels: support.labels, rows: support.rows)
    var label = [Int](repeating: 0, count: support.count)
    for row in 0..<support.rows { label[Int(support.examples[row])] = Int(support.labels[row]) }
    var proximities = [Double](repeating: 0, count: support.classes)
    var sum = 0.0
    for example in 0..<support.count {
      proximities.withUnsafeMutableBufferPointer {
        guard let proximities = $0.baseAddress else { return }
        prototypes.proximities(
          of: support.plain + example * support.dimensions, into: proximities)
      }
      proximities[label[example]] = -.infinity
      sum += proximities.reduce(-.infinity, max)
    }
    return sum / Double(support.count)
  }
}
