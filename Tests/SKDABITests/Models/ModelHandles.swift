import CSKD
import SKDABI
import SKDTestSupport
import XCTest

/// A small model of skd.h, released with this object.
final class ABIModel {
  let handle: OpaquePointer
  static let classes = 3
  static let side = 16

  init(_ architecture: String = "resnet12", seed: UInt64 = 1, rotationHead: Int32 = -1) throws {
    let (outcome, handle) = Self.create(
      architecture, rotationHead: rotationHead, seed: seed)
    assertOK(outcome.status)
    self.handle = try XCTUnwrap(handle)
  }

  init(owning handle: OpaquePointer) { self.handle = handle }

  deinit { skd_model_free(handle) }

  static func create(
    _ architecture: String, classes: Int64 = Int64(ABIModel.classes),
    imageSize: Int64 = Int64(ABIModel.side), channels: Int64 = 0,
    widths: [Int64]? = [4, 4, 4, 4], widthCount: Int64? = nil, dropRate: Float = -1,
    dropBlockSize: Int64 = 0, rotationHead: Int32 = -1, seed: UInt64 = 1,
    precision: Int32 = Int32(SKD_FLOAT32), useSE: Int32 = 0, zeroState: Int32 = 0
  ) -> (Outcome, OpaquePointer?) {
    var handle: OpaquePointer?
    let outcome = architecture.withCString { name in
      (widths ?? []).withUnsafeBufferPointer { buffer in
        var config = skd_model_config()
        config.architecture = name
        config.num_classes = classes
        config.image_size = imageSize
        config.input_channels = channels
        config.widths = widths == nil ? nil : buffer.baseAddress
        config.width_count = widthCount ?? Int64(buffer.count)
        config.drop_rate = dropRate
        config.dropblock_size = dropBlockSize
        config.rotation_head = rotationHead
        config.seed = seed
        config.precision = precision
        config.use_se = useSE
        config.zero_state = zeroState
        return Outcome(skd_model_create(&config, &handle))
      }
    }
    return (outcome, handle)
  }

  var info: skd_model_info {
    var info = skd_model_info()
    assertOK(skd_model_get_info(handle, &info))
    return info
  }

  var entries: [skd_state_entry] {
    (0..<info.state_count).map { index in
      var entry = skd_state_entry()
      assertOK(skd_model_get_entry(handle, index, &entry))
      return entry
    }
  }

  /// The whole state: the bytes of every entry, in storage order.
  var state: [[UInt8]] {
    entries.map { entry in
      Array(UnsafeRawBufferPointer(start: entry.data, count: entry.byteCount))
    }
  }

  /// Logits of images, by evaluation.
  func logits(_ images: [Float]) -> [Float] {
    let batch = images.count / Self.imageCount
    var logits = [Float](repeating: .nan, count: batch * Self.classes)
    assertOK(skd_model_evaluate(handle, images, Int64(batch), nil, &logits, nil))
    return logits
  }

  static let imageCount = side * side * 3

  static func images(_ batch: Int) -> [Float] {
    fill("images", shape: [batch * imageCount], seed: 1)
  }
}

extension skd_state_entry {
  var extents: [Int64] {
    Array([shape.0, shape.1, shape.2, shape.3].prefix(Int(dimensions)))
  }
  var count: Int { Int(extents.reduce(1, *)) }
  var byteCount: Int { count * (kind == Int32(SKD_COUNTER) ? 8 : 4) }
}
