import CSKD
import SKDFewShot
import SKDRuntime

@c @implementation
public func skd_class_centroids(
  _ features: UnsafePointer<Float>!, _ labels: UnsafePointer<Int64>!, _ rows: Int64,
  _ dimensions: Int64, _ classes: Int64, _ centroids: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("class_centroids") { arguments in
    let rows = try arguments.size(rows, "rows")
    let dimensions = try arguments.size(dimensions, "dimensions")
    let classes = try arguments.size(classes, "classes", in: 1...Arguments.maximumClasses)
    let count = try arguments.count(rows, dimensions, of: "features")
    _ = try arguments.count(classes, dimensions, of: "centroids")
    let features = try arguments.pointer(features, "features")
    let labels = try arguments.pointer(labels, "labels")
    let centroids = try arguments.pointer(centroids, "centroids")
    try arguments.everyLabel(labels, count: rows, classes: classes, "labels")
    try arguments.finite(features, count: count, "features")
    let prototypes = try NearestPrototype(.euclidean, count: classes, dimensions: dimensions)
    prototypes.setCentroids(features, labels: labels, rows: rows)
    for k in 0..<classes {
      (centroids + k * dimensions).update(from: prototypes.prototype(k), count: dimensions)
    }
  }
}

@c @implementation
public func skd_prototype_proximities(
  _ features: UnsafePointer<Float>!, _ rows: Int64, _ dimensions: Int64,
  _ prototypes: UnsafePointer<Double>!, _ count: Int64, _ metric: Int32,
  _ proximities: UnsafeMutablePointer<Double>!
) -> skd_status {
  status("prototype_proximities") { arguments in
    if rows == 0 { return }
    let query = try PrototypeQuery(
      arguments, features, rows, dimensions, prototypes, count, metric)
    let proximities = try arguments.pointer(proximities, "proximities")
    for n in 0..<query.rows {
      query.prototypes.proximities(of: query.row(n), into: proximities + n * query.prototypes.count)
    }
  }
}

@c @implementation
public func skd_nearest_prototypes(
  _ features: UnsafePointer<Float>!, _ rows: Int64, _ dimensions: Int64,
  _ prototypes: UnsafePointer<Double>!, _ count: Int64, _ metric: Int32,
  _ nearest: UnsafeMutablePointer<Int64>!
) -> skd_status {
  status("nearest_prototypes") { arguments in
    if rows == 0 { return }
    let query = try PrototypeQuery(
      arguments, features, rows, dimensions, prototypes, count, metric)
    let nearest = try arguments.pointer(nearest, "nearest")
    for n in 0..<query.rows { nearest[n] = Int64(query.prototypes.nearest(to: query.row(n))) }
  }
}

/// The arguments that the questions about prototypes share, checked.
private struct PrototypeQuery {
  let rows: Int
  let prototypes: NearestPrototype
  private let features: UnsafePointer<Float>
  private let dimensions: Int

  init(
    _ arguments: Arguments, _ features: UnsafePointer<Float>?, _ rows: Int64, _ dimensions: Int64,
    _ prototypes: UnsafePointer<Double>?, _ count: Int64, _ metric: Int32
  ) throws {
    self.rows = try arguments.size(rows, "rows")
    self.dimensions = try arguments.size(dimensions, "dimensions")
    let count = try arguments.size(count, "count")
    _ = try arguments.count(self.rows, self.dimensions, of: "features")
    _ = try arguments.count(count, self.dimensions, of: "prototypes")
    _ = try arguments.count(self.rows, count, of: "proximities")
    let metric = try arguments.metric(metric)
    self.features = try arguments.pointer(features, "features")
    let values = try arguments.pointer(prototypes, "prototypes")
    try arguments.finite(self.features, count: self.rows * self.dimensions, "features")
    self.prototypes = try NearestPrototype(metric, count: count, dimensions: self.dimensions)
    self.prototypes.setRows(values)
  }

  func row(_ n: Int) -> UnsafePointer<Float> { features + n * dimensions }
}
