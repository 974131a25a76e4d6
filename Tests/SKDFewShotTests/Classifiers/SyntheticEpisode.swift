import SKDFewShot
import SKDTestSupport

/// An episode of `classifier.npz`, generated as its README says, features L2-normalised.
struct SyntheticEpisode {
  static let dimensions = 640

  let ways: Int
  let shots: Int
  let queries: Int
  let support: [Float]
  let supportLabels: [Int64]
  let query: [Float]
  var supportRows: Int { supportLabels.count }

  init(_ i: Int, of fixture: Fixture) throws {
    let cfg = try fixture.integers("episode\(i).cfg")
    let seed = try fixture.integer("seed.data")
    let (ways, shots, copies, queries) = (cfg[0], cfg[1], cfg[2], cfg[3])
    let (offset, scale) = (Double(cfg[4]) / 64, Double(cfg[5]) / 64)
    let width = Self.dimensions
    func draw(_ part: String, _ rows: Int) -> [Double] {
      uniform("episode\(i).\(part)", count: rows * width, seed: seed)
    }
    let center = draw("centre", ways).map { $0 * scale + offset }
    let base = draw("base", ways * shots).enumerated().map { index, u in
      center[index / (width * shots) * width + index % width] + u
    }
    let augment = draw("augment", copies * ways * shots)
    let support = augment.enumerated().map { index, u in Float(base[index % base.count] + 0.25 * u)
    }
    let query = draw("query", ways * queries).enumerated().map { index, u in
      Float(center[index / (width * queries) * width + index % width] + u)
    }
    self.ways = ways
    self.shots = shots
    self.queries = queries
    self.support = normalized(support, dimensions: width)
    self.query = normalized(query, dimensions: width)
    supportLabels = (0..<copies * ways * shots).map { Int64($0 % (ways * shots) / shots) }
  }
}

func normalized(_ features: [Float], dimensions: Int) -> [Float] {
  var result = features
  l2Normalize(features, rows: features.count / dimensions, dimensions: dimensions, into: &result)
  return result
}
