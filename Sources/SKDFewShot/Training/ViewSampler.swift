import SKDRuntime

/// Draws the rotations of each image of a training step.
///
/// A draw depends on (seed, step, position of the image in the whole batch) alone.
struct ViewSampler {
  let seed: UInt64
  let step: Int
  /// Position of the first image in the whole batch.
  let first: Int

  /// Rotation of each row: all images in their first view, then all in their second, and so on.
  ///
  /// - Parameters:
  ///   - images: Number of images.
  ///   - objective: Its views, or for each image a uniform choice of different ones.
  /// - Complexity: O(images · views).
  func rotations(ofImages images: Int, for objective: any Objective) -> [Rotation] {
    let (views, count) = (objective.views, objective.viewsPerImage)
    if count == views.count {
      return views.flatMap { [Rotation](repeating: $0, count: images) }
    }
    var rotations = [Rotation](repeating: .none, count: count * images)
    for image in 0..<images {
      let random = CounterRandom(
        seed: seed, purpose: .rotations, step: step, index: first + image)
      // The first `count` places of a Fisher-Yates shuffle.
      var order = views
      for view in 0..<count {
        order.swapAt(view, view + random.integer(below: order.count - view, at: view))
        rotations[view * images + image] = order[view]
      }
    }
    return rotations
  }
}
