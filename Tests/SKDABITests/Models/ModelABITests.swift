import CSKD
import SKDABI
import SKDTestSupport
import XCTest

/// The models of skd.h.
final class ModelABITests: XCTestCase {
  func testInfoDescribesTheModel() throws {
    let info = try ABIModel().info
    XCTAssertEqual(info.num_classes, 3)
    XCTAssertEqual(info.image_size, 16)
    XCTAssertEqual(info.input_channels, 3)
    XCTAssertEqual(info.embedding_dim, 4)
    XCTAssertEqual(info.stage_count, 4)
    XCTAssertEqual(info.has_rotation_head, 1)
    XCTAssertEqual(info.state_count, 16 * 6 + 4)
    XCTAssertEqual(try ABIModel("seresnet12").info.has_rotation_head, 0)
  }

  func testEntriesAreTheStateDict() throws {
    let model = try ABIModel()
    let entries = model.entries
    let first = entries[0]
    XCTAssertEqual(String(cString: first.name), "layer1.0.conv1.weight")
    XCTAssertEqual(first.extents, [4, 3, 3, 3])
    XCTAssertEqual(first.kind, Int32(SKD_PARAMETER))
    XCTAssertNotNil(first.gradient)
    let counter = entries[5]
    XCTAssertEqual(String(cString: counter.name), "layer1.0.bn1.num_batches_tracked")
    XCTAssertEqual(counter.kind, Int32(SKD_COUNTER))
    XCTAssertEqual(counter.dimensions, 0)
    XCTAssertNil(counter.gradient)
    XCTAssertEqual(entries[3].kind, Int32(SKD_BUFFER))
    XCTAssertNil(entries[3].gradient)
    XCTAssertEqual(
      entries.filter { $0.kind == Int32(SKD_PARAMETER) }.reduce(0) { $0 + $1.count },
      Int(model.info.parameter_count))
    for index in [-1, model.info.state_count, .max, .min] {
      var entry = skd_state_entry()
      assertRefused(
        skd_model_get_entry(model.handle, index, &entry), "index of model_get_entry must be in 0..."
      )
      XCTAssertNil(entry.name)
    }
  }

  // MARK: Loading

  /// Arrays of an entry's values in C order, from its storage.
  private func arrays(_ model: ABIModel) -> [[UInt8]] {
    model.entries.map { entry in
      guard entry.kind != Int32(SKD_COUNTER), let data = entry.data else {
        return [UInt8](repeating: 1, count: entry.byteCount)
      }
      let strides = [entry.strides.0, entry.strides.1, entry.strides.2, entry.strides.3]
      let values = data.assumingMemoryBound(to: Float.self)
      let ordered = (0..<entry.count).map { position -> Float in
        var (rest, offset) = (position, 0)
        for axis in (0..<Int(entry.dimensions)).reversed() {
          offset += rest % Int(entry.extents[axis]) * Int(strides[axis])
          rest /= Int(entry.extents[axis])
        }
        return values[offset]
      }
      return ordered.withUnsafeBytes { Array($0) }
    }
  }

  private func load(_ arrays: [[UInt8]], into model: ABIModel, missing: Int? = nil) -> Outcome {
    let copies = arrays.map { array in
      let copy = UnsafeMutableRawPointer.allocate(byteCount: array.count, alignment: 8)
      copy.copyMemory(from: array, byteCount: array.count)
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    var pointers: [UnsafeRawPointer?] = copies.map { UnsafeRawPointer($0) }
    if let missing { pointers[missing] = nil }
    return Outcome(skd_model_load(model.handle, pointers, Int64(pointers.count)))
  }

  func testLoadTakesOverTheStateOfAnotherModel() throws {
    for architecture in ["resnet12", "seresnet12", "resnet18", "resnet24", "convnet4"] {
      let (source, target) = (try ABIModel(architecture), try ABIModel(architecture, seed: 2))
      let images = ABIModel.images(2)
      XCTAssertNotEqual(source.logits(images), target.logits(images))
      assertOK(load(arrays(source), into: target).status)
      XCTAssertEqual(source.logits(images), target.logits(images), architecture)
      let counters = target.entries.filter { $0.kind == Int32(SKD_COUNTER) }
      XCTAssertTrue(
        counters.allSatisfy { $0.data.load(as: Int64.self) == 0x0101_0101_0101_0101 })
    }
  }

  func testBadStateIsRefusedWhole() throws {
    let (source, target) = (try ABIModel(seed: 2), try ABIModel())
    let before = target.state
    let good = arrays(source)
    func changed(_ entry: Int, _ value: Float) -> [[UInt8]] {
      var arrays = good
      withUnsafeBytes(of: value) { arrays[entry].replaceSubrange(4..<8, with: $0) }
      return arrays
    }
    let last = good.count - 1
    assertRefused(
      load(changed(last, .nan), into: target), "rot_classifier.bias of model_load must be finite")
    assertRefused(
      load(changed(4, -0.5), into: target),
      "layer1.0.bn1.running_var of model_load must be >= 0; got -0.5 at index 1")
    assertRefused(
      load(good, into: target, missing: 7), "layer1.0.bn2.weight of model_load must not be NULL")
    assertRefused(
      load(Array(good.dropLast()), into: target),
      "count of model_load must be \(good.count); got \(last)")
    XCTAssertEqual(target.state, before)
  }

  // MARK: Evaluation

  func testEvaluationWritesWhatItIsAskedFor() throws {
    let model = try ABIModel()
    let images = ABIModel.images(2)
    var embeddings = [Float](repeating: .nan, count: 2 * 4)
    var (logits, rotation) = ([Float](repeating: .nan, count: 6), embeddings)
    assertOK(
      skd_model_evaluate(model.handle, images, 2, &embeddings, &logits, &rotation))
    XCTAssertTrue((embeddings + logits + rotation).allSatisfy(\.isFinite))
    XCTAssertEqual(model.logits(images), logits)
    assertOK(skd_model_evaluate(model.handle, images, 0, &embeddings, nil, nil))
    assertOK(skd_model_evaluate(model.handle, images, 2, nil, nil, nil))
  }

  func testStageOutputHasTheAnnouncedExtentAndAveragesToTheEmbedding() throws {
    let model = try ABIModel("convnet4")
    let images = ABIModel.images(2)
    var shape = skd_image_shape()
    assertOK(skd_model_stage_shape(model.handle, 2, 3, &shape))
    XCTAssertEqual(
      [shape.batch, shape.height, shape.width, shape.channels], [2, 2, 2, 4])
    var output = [Float](repeating: .nan, count: 2 * 2 * 2 * 4)
    assertOK(skd_model_stage_output(model.handle, images, 2, 3, &output))
    var embeddings = [Float](repeating: .nan, count: 8)
    assertOK(skd_model_evaluate(model.handle, images, 2, &embeddings, nil, nil))
    let means = (0..<8).map { i -> Float in
      let first = i / 4 * 16 + i % 4
      let sum: Float = output[first] + output[first + 4] + output[first + 8] + output[first + 12]
      return sum / 4
    }
    assertClose(embeddings, means, relative: 1e-6)
    for stage in [-1, 4, Int64.max] {
      assertRefused(
        skd_model_stage_shape(model.handle, 2, stage, &shape), "stage of model_stage_shape")
      assertRefused(
        skd_model_stage_output(model.handle, images, 2, stage, &output),
        "stage of model_stage_output must be in 0...3")
    }
  }

  func testBadEvaluationArgumentsAreNamedAndWriteNothing() throws {
    let model = try ABIModel("seresnet12")
    var images = ABIModel.images(2)
    var logits = [Float](repeating: -5, count: 6)
    let handle = model.handle
    assertRefused(
      skd_model_evaluate(nil, images, 2, nil, &logits, nil), "model of model_evaluate")
    assertRefused(
      skd_model_evaluate(handle, nil, 2, nil, &logits, nil), "images of model_evaluate")
    assertRefused(
      skd_model_evaluate(handle, images, -1, nil, &logits, nil), "batch of model_evaluate")
    assertRefused(
      skd_model_evaluate(handle, images, .max, nil, &logits, nil), "batch of model_evaluate")
    assertRefused(
      skd_model_evaluate(handle, images, 1 << 39, nil, &logits, nil),
      "images of model_evaluate must have at most 2^40 elements")
    var rotation = [Float](repeating: -5, count: 8)
    assertRefused(
      skd_model_evaluate(handle, images, 2, nil, &logits, &rotation),
      "rotation of model_evaluate must be NULL")
    for value in [Float.nan, .infinity] {
      images[1000] = value
      assertRefused(
        skd_model_evaluate(handle, images, 2, nil, &logits, nil),
        "images of model_evaluate must be finite; got \(value) at index 1000")
    }
    XCTAssertTrue((logits + rotation).allSatisfy { $0 == -5 })
  }

  // MARK: Life

  func testStateIsZeroOnRequest() throws {
    let (outcome, handle) = ABIModel.create("resnet12", zeroState: 1)
    assertOK(outcome.status)
    let model = ABIModel(owning: try XCTUnwrap(handle))
    XCTAssertTrue(model.state.allSatisfy { bytes in bytes.allSatisfy { $0 == 0 } })
  }

  func testCloneIsEqualAndLivesOnItsOwn() throws {
    let images = ABIModel.images(2)
    var pointer: OpaquePointer?
    let logits: [Float]
    do {
      let model = try ABIModel()
      logits = model.logits(images)
      assertOK(skd_model_clone(model.handle, &pointer))
      let clone = try XCTUnwrap(pointer)
      XCTAssertNotEqual(clone, model.handle)
    }
    let clone = ABIModel(owning: try XCTUnwrap(pointer))
    XCTAssertEqual(clone.logits(images), logits)
    assertRefused(skd_model_clone(nil, &pointer), "model of model_clone must not be NULL")
    assertRefused(skd_model_clone(clone.handle, nil), "clone of model_clone must not be NULL")
  }

  func testNullsAreNamed() throws {
    skd_model_free(nil)
    var (handle, config) = (OpaquePointer?.none, skd_model_config())
    assertRefused(skd_model_create(nil, &handle), "config of model_create must not be NULL")
    assertRefused(skd_model_create(&config, nil), "model of model_create must not be NULL")
    assertRefused(
      skd_model_create(&config, &handle), "config.architecture of model_create must not be NULL")
    XCTAssertNil(handle)
    let model = try ABIModel()
    assertRefused(skd_model_get_info(model.handle, nil), "info of model_get_info")
    assertRefused(skd_model_get_entry(model.handle, 0, nil), "entry of model_get_entry")
    assertRefused(skd_model_load(model.handle, nil, 100), "arrays of model_load")
    assertRefused(skd_model_stage_shape(model.handle, 1, 0, nil), "shape of model_stage_shape")
    assertRefused(
      skd_model_stage_output(model.handle, ABIModel.images(1), 1, 0, nil),
      "output of model_stage_output")
  }

  func testBadConfigurationsAreNamed() {
    let claims: [((Outcome, OpaquePointer?), String)] = [
      (ABIModel.create("vgg"), "config.architecture of model_create must be one of \"resnet12\""),
      (ABIModel.create("resnet12", classes: 0), "config.num_classes of model_create"),
      (ABIModel.create("resnet12", classes: .max), "config.num_classes of model_create"),
      (ABIModel.create("resnet12", imageSize: 8), "config.image_size of model_create"),
      (ABIModel.create("resnet12", channels: -1), "config.input_channels of model_create"),
      (
        ABIModel.create("resnet12", widths: [4, 4]),
        "config.widths of model_create must have 4 entries for resnet12; got 2"
      ),
      (ABIModel.create("resnet12", widths: [4, 4, .max, 4]), "config.widths of model_create"),
      (ABIModel.create("resnet12", widthCount: -1), "config.width_count of model_create"),
      (ABIModel.create("resnet12", dropRate: 1), "config.drop_rate of model_create"),
      (ABIModel.create("resnet12", dropRate: .nan), "config.drop_rate of model_create"),
      (ABIModel.create("resnet12", dropBlockSize: 9), "config.dropblock_size of model_create"),
      (ABIModel.create("resnet12", rotationHead: 2), "config.rotation_head of model_create"),
      (ABIModel.create("resnet12", precision: 2), "config.precision of model_create"),
      (ABIModel.create("resnet12", precision: -1), "config.precision of model_create"),
      (ABIModel.create("resnet12", zeroState: 2), "config.zero_state of model_create"),
    ]
    for ((outcome, handle), message) in claims {
      assertRefused(outcome, message)
      XCTAssertNil(handle, message)
    }
  }

  /// 91 GB of parameters, refused before any of them is touched.
  func testModelThatDoesNotFitIntoMemoryIsRefused() throws {
    try XCTSkipIf(
      ProcessInfo.processInfo.physicalMemory > 80 << 30, "this machine could hold the model")
    let (outcome, handle) = ABIModel.create(
      "wrn_28_10", classes: 1_000_000, widths: [8192, 8192, 8192])
    XCTAssertEqual(outcome.status, skd_status(SKD_OUT_OF_MEMORY))
    XCTAssertTrue(outcome.message.contains("does not fit into memory"), outcome.message)
    XCTAssertNil(handle)
  }
}
