import SKDFewShot
import SKDKernels
import SKDNN
import SKDTestSupport

/// The training run of a golden file `genG_small.npz` or `genG_step.npz`.
struct TrainingCase {
  let fixture: Fixture
  let shape: [Int]
  let student: Network
  let teacher: Network?

  init(_ file: String) throws {
    fixture = try Fixture(named: file)
    shape = try fixture.integers("meta.shape")
    let configuration = try NetworkConfiguration(
      architecture: .resnet12, classCount: try fixture.integer("meta.classes"),
      imageSize: shape[2], inputChannels: shape[1], dropRate: 0, hasRotationHead: true)
    student = try filledNetwork(configuration, seed: try fixture.integer("seed.student"))
    teacher =
      fixture.contains("seed.teacher")
      ? try filledNetwork(configuration, seed: try fixture.integer("seed.teacher")) : nil
  }

  func trainer(_ objective: any Objective) throws -> Trainer {
    let sgd = try fixture.floats("meta.sgd")
    return try Trainer(
      network: student, teacher: teacher, objective: objective,
      optimizer: try SGD(
        student.store, learningRate: sgd[0], momentum: sgd[1], weightDecay: sgd[2]),
      seed: 0)
  }

  /// Runs `body` on the images and labels of step 1, 2 or 3. Generation 1 has no labels.
  func withBatch<Result>(
    _ step: Int, _ body: (UnsafePointer<Float>, UnsafePointer<Int64>?, Int) throws -> Result
  ) throws -> Result {
    let batch = try fixture.integers("meta.batch")[step - 1]
    let images = nhwcFromNCHW(
      fill("input.\(batch).\(step)", shape: shape, seed: try fixture.integer("seed.input")),
      shape: shape)
    guard fixture.contains("targets") else { return try body(images, nil, shape[0]) }
    let labels = try fixture.integers("targets")[(step - 1) * shape[0]..<step * shape[0]]
    return try body(images, labels.map { Int64($0) }, shape[0])
  }

  /// The student's output in training for step 1, and the teacher's logits.
  func firstLogits(_ views: [Rotation]) throws -> (NetworkOutput, [Float]?) {
    try withBatch(1) { images, _, batch in
      let tensor = try student.pool.tensor(student.imageShape(batch: batch * views.count))
      for (i, view) in views.enumerated() {
        rotateImages(
          images, batch: batch, side: shape[2], channels: shape[1],
          quarterTurns: view.quarterTurns, into: tensor.pointer + i * tensor.count / views.count)
      }
      let context = TrainingContext(pool: student.pool, seed: 0, step: 0)
      let output = try student.forward(tensor, context)
      guard let teacher else { return (output, nil) }
      let upright = try teacher.pool.tensor(teacher.imageShape(batch: batch))
      upright.pointer.update(from: images, count: upright.count)
      return (output, try teacher.evaluate(upright).logits.values)
    }
  }

  var parameters: [StateEntry] { student.store.entries.filter { $0.kind == .parameter } }
  var buffers: [StateEntry] { student.store.entries.filter { $0.kind == .buffer } }

  /// The stored entries of a parameter's or buffer's values.
  func values(_ entry: StateEntry) throws -> [Float] {
    entry.values(at: try fixture.integers("idx.\(entry.name)"), of: entry.values)
  }

  /// The stored entries of a parameter's gradient.
  func gradient(_ entry: StateEntry) throws -> [Float] {
    entry.values(at: try fixture.integers("idx.\(entry.name)"), of: entry.gradient)
  }

  /// What the stored entries were before the first step.
  func start(_ entry: StateEntry) throws -> [Float] {
    let values = fill(
      entry.name, shape: entry.shape, seed: try fixture.integer("seed.student"))
    return try fixture.integers("idx.\(entry.name)").map { values[$0] }
  }
}
