import CSKD
import SKDNN
import SKDRuntime

@c @implementation
public func skd_model_create(
  _ config: UnsafePointer<skd_model_config>!, _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> skd_status {
  status("model_create") { arguments in
    let config = try arguments.pointer(config, "config").pointee
    let model = try arguments.pointer(model, "model")
    let isZero = try arguments.flag(config.zero_state, "config.zero_state")
    let network = try Network(try configuration(config, arguments), drawsWeights: !isZero)
    model.pointee = ModelHandle(network).retainedPointer()
  }
}

private func configuration(_ config: skd_model_config, _ arguments: Arguments) throws
  -> NetworkConfiguration
{
  let name = String(cString: try arguments.pointer(config.architecture, "config.architecture"))
  guard let architecture = Architecture(rawValue: name) else {
    let known = Architecture.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    throw SKDError.invalidArgument(
      InvalidArgument(
        "config.architecture", of: arguments.function, "be one of \(known)", got: "\"\(name)\""))
  }
  let widthCount = try arguments.size(config.width_count, "config.width_count", in: 0...64)
  let widths = config.widths.map { widths in
    (0..<widthCount).map { Int(widths[$0]) }
  }
  _ = try arguments.size(Int64(config.rotation_head), "config.rotation_head", in: -1...1)
  let precision = try arguments.size(Int64(config.precision), "config.precision", in: 0...1)
  return try NetworkConfiguration(
    architecture: architecture, classCount: Int(config.num_classes),
    imageSize: Int(config.image_size),
    inputChannels: config.input_channels == 0 ? 3 : Int(config.input_channels), widths: widths,
    usesGates: try arguments.flag(config.use_se, "config.use_se"),
    dropRate: config.drop_rate < 0 ? nil : config.drop_rate,
    dropBlockSize: config.dropblock_size == 0 ? nil : Int(config.dropblock_size),
    hasRotationHead: config.rotation_head < 0 ? nil : config.rotation_head == 1,
    precision: precision == Int(SKD_BFLOAT16) ? .bfloat16 : .float32, seed: config.seed)
}

@c @implementation
public func skd_model_clone(
  _ model: OpaquePointer!, _ clone: UnsafeMutablePointer<OpaquePointer?>!
) -> skd_status {
  status("model_clone") { arguments in
    let clone = try arguments.pointer(clone, "clone")
    let handle = ModelHandle.from(try arguments.pointer(model, "model"))
    clone.pointee = ModelHandle(try handle.exclusively { try $0.clone() }).retainedPointer()
  }
}

@c @implementation
public func skd_model_free(_ model: OpaquePointer!) {
  guard let model else { return }
  // A model that a thread of the parent process was changing during the fork is never freed.
  if ModelHandle.from(model).isLost { return }
  Unmanaged<ModelHandle>.fromOpaque(UnsafeRawPointer(model)).release()
}

@c @implementation
public func skd_model_get_info(
  _ model: OpaquePointer!, _ info: UnsafeMutablePointer<skd_model_info>!
) -> skd_status {
  status("model_get_info") { arguments in
    let info = try arguments.pointer(info, "info")
    let network = ModelHandle.from(try arguments.pointer(model, "model")).network
    let configuration = network.configuration
    info.pointee = skd_model_info(
      num_classes: Int64(configuration.classCount), image_size: Int64(configuration.imageSize),
      input_channels: Int64(configuration.inputChannels),
      embedding_dim: Int64(network.embeddingDimension),
      parameter_count: Int64(network.store.parameterCount),
      state_count: Int64(network.store.entries.count), stage_count: Int64(network.stageCount),
      minimum_image_size: Int64(network.configuration.architecture.minimumImageSize),
      has_rotation_head: configuration.hasRotationHead ? 1 : 0)
  }
}

@c @implementation
public func skd_model_get_entry(
  _ model: OpaquePointer!, _ index: Int64, _ entry: UnsafeMutablePointer<skd_state_entry>!
) -> skd_status {
  status("model_get_entry") { arguments in
    let entry = try arguments.pointer(entry, "entry")
    let handle = ModelHandle.from(try arguments.pointer(model, "model"))
    let entries = handle.network.store.entries
    let number = try arguments.size(index, "index", in: 0...entries.count - 1)
    entry.pointee = describe(entries[number], name: handle.names[number])
  }
}

private func describe(_ entry: StateEntry, name: UnsafePointer<CChar>) -> skd_state_entry {
  var result = skd_state_entry()
  result.name = name
  result.dimensions = Int32(entry.shape.count)
  withUnsafeMutableBytes(of: &result.shape) { shape in
    let shape = shape.bindMemory(to: Int64.self)
    for (axis, extent) in entry.shape.enumerated() { shape[axis] = Int64(extent) }
  }
  withUnsafeMutableBytes(of: &result.strides) { strides in
    let strides = strides.bindMemory(to: Int64.self)
    for (axis, stride) in entry.strides.enumerated() { strides[axis] = Int64(stride) }
  }
  switch entry.kind {
  case .parameter:
    result.kind = Int32(SKD_PARAMETER)
    result.data = UnsafeRawPointer(entry.values)
    result.gradient = UnsafePointer(entry.gradient)
  case .buffer:
    result.kind = Int32(SKD_BUFFER)
    result.data = UnsafeRawPointer(entry.values)
  case .counter:
    result.kind = Int32(SKD_COUNTER)
    result.data = UnsafeRawPointer(entry.counter)
  }
  return result
}
