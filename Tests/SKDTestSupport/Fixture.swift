import Foundation

/// A file of golden values: a stored (not compressed) `.npz` of little-endian `<f4` and `<i8`
/// arrays in C order, as `reference/make_golden.py` writes them.
///
/// It is looked for in the directory that the environment variable `SKD_FIXTURES` names, or else
/// in `Tests/Fixtures`. Read sizes and seeds from the file: another set has the same keys only.
public struct Fixture {
  /// Why a fixture or one of its arrays cannot be read; names the file and the key.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  private struct Entry {
    var isFloat: Bool
    var shape: [Int]
    var data: Range<Int>  // of `bytes`
    var count: Int { shape.reduce(1, *) }
  }

  private let path: String
  private let bytes: [UInt8]
  private let arrays: [String: Entry]

  /// Reads `NAME.npz`.
  ///
  /// - Throws: `Failure` if the file is absent or not a stored `.npz`.
  public init(named name: String) throws {
    try self.init(path: "\(Self.directory)/\(name).npz")
  }

  /// Reads the `.npz` at `path`.
  public init(path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Failure(description: "there is no fixture at \(path)")
    }
    let bytes = [UInt8](data)
    self.path = path
    self.bytes = bytes
    do {
      arrays = try Self.members(of: bytes).mapValues { try Self.parseArray(bytes, at: $0) }
    } catch let failure as Failure {
      throw Failure(description: "\(path): \(failure)")
    }
  }

  /// Where fixtures are read from.
  public static var directory: String {
    if let directory = ProcessInfo.processInfo.environment["SKD_FIXTURES"] { return directory }
    return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures").path
  }

  /// The names of all fixtures that start with `prefix`, in alphabetic order.
  public static func names(startingWith prefix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasPrefix(prefix) && $0.hasSuffix(".npz") }.map { String($0.dropLast(4)) }
      .sorted()
  }

  /// The keys, in alphabetic order.
  public var keys: [String] { arrays.keys.sorted() }

  public func contains(_ key: String) -> Bool { arrays[key] != nil }

  /// Extent of an array; `[]` for a scalar.
  public func shape(_ key: String) throws -> [Int] { try array(key).shape }

  /// The elements of an array, in C order; integers are converted.
  public func floats(_ key: String) throws -> [Float] {
    let array = try array(key)
    return array.isFloat
      ? (0..<array.count).map { Float(bitPattern: word(array.data.lowerBound + 4 * $0)) }
      : try integers(key).map(Float.init)
  }

  /// The elements of an integer array, in C order.
  public func integers(_ key: String) throws -> [Int] {
    let array = try array(key)
    guard !array.isFloat else {
      throw Failure(description: "\(path): '\(key)' holds floats, not integers")
    }
    return (0..<array.count).map { Int(word(array.data.lowerBound + 8 * $0) as Int64) }
  }

  /// A scalar.
  public func float(_ key: String) throws -> Float { try scalar(key, floats(key)) }

  /// A scalar.
  public func integer(_ key: String) throws -> Int { try scalar(key, integers(key)) }

  private func scalar<Value>(_ key: String, _ values: [Value]) throws -> Value {
    guard values.count == 1 else {
      throw Failure(description: "\(path): '\(key)' has \(values.count) elements, not one")
    }
    return values[0]
  }

  private func array(_ key: String) throws -> Entry {
    guard let array = arrays[key] else {
      throw Failure(description: "\(path) has no key '\(key)'")
    }
    return array
  }

  private func word<Word: FixedWidthInteger>(_ offset: Int) -> Word {
    Self.word(bytes, offset)
  }

  // MARK: Formats

  private static func word<Word: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int) -> Word {
    bytes.withUnsafeBytes {
      Word(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Word.self))
    }
  }

  /// The members of a zip file by name without `.npy`, from its central directory.
  private static func members(of bytes: [UInt8]) throws -> [String: Range<Int>] {
    let endRecordSize = 22  // without a comment, which NumPy does not write
    let end = bytes.count - endRecordSize
    guard end >= 0, word(bytes, end) == UInt32(0x0605_4b50) else {
      throw Failure(description: "not a zip file")
    }
    var members: [String: Range<Int>] = [:]
    var entry = Int(word(bytes, end + 16) as UInt32)
    for _ in 0..<Int(word(bytes, end + 10) as UInt16) {
      guard entry + 46 <= end, word(bytes, entry) == UInt32(0x0201_4b50) else {
        throw Failure(description: "damaged zip directory")
      }
      let (method, size) = (
        word(bytes, entry + 10) as UInt16, Int(word(bytes, entry + 24) as UInt32)
      )
      let lengths = (28...32).filter { $0 % 2 == 0 }.map { Int(word(bytes, entry + $0) as UInt16) }
      let local = Int(word(bytes, entry + 42) as UInt32)
      let name = String(decoding: bytes[entry + 46..<entry + 46 + lengths[0]], as: UTF8.self)
      guard method == 0, name.hasSuffix(".npy"), local + 30 <= end else {
        throw Failure(description: "member '\(name)' is not a stored .npy")
      }
      let start =
        local + 30 + Int(word(bytes, local + 26) as UInt16) + Int(word(bytes, local + 28) as UInt16)
      guard start + size <= end else {
        throw Failure(description: "member '\(name)' reaches beyond the end")
      }
      members[String(name.dropLast(4))] = start..<start + size
      entry += 46 + lengths.reduce(0, +)
    }
    return members
  }

  private static func parseArray(_ bytes: [UInt8], at range: Range<Int>) throws -> Entry {
    guard range.count >= 10, bytes[range].starts(with: [0x93] + "NUMPY".utf8 + [1, 0]) else {
      throw Failure(description: "a member is not .npy 1.0")
    }
    let start = range.lowerBound + 10 + Int(word(bytes, range.lowerBound + 8) as UInt16)
    guard start <= range.upperBound else { throw Failure(description: "damaged .npy header") }
    let header = String(decoding: bytes[range.lowerBound + 10..<start], as: UTF8.self)
    let isFloat = header.contains("'<f4'")
    guard isFloat || header.contains("'<i8'"), header.contains("'fortran_order': False"),
      let open = header.firstIndex(of: "("), let close = header.firstIndex(of: ")")
    else { throw Failure(description: "unsupported .npy header \(header)") }
    let shape = header[open..<close].dropFirst().split(separator: ",")
      .compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    let array = Entry(isFloat: isFloat, shape: shape, data: start..<range.upperBound)
    guard array.count * (isFloat ? 4 : 8) == array.data.count else {
      throw Failure(description: "the size of a member does not fit its header \(header)")
    }
    return array
  }
}
