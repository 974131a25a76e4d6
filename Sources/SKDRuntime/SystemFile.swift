import CLibrary

/// A text file in which the kernel reports its state.
enum SystemFile {
  /// The whole text; nil if the file cannot be read.
  static func text(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&block, 1, block.count, file)
      if count == 0 { break }
      bytes += block[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The number that follows `name` at the beginning of a line.
  static func number(after name: String = "", in path: String) -> Int? {
    for line in (text(path) ?? "").split(separator: "\n") where line.hasPrefix(name) {
      let words = line.dropFirst(name.count).split { $0 == " " || $0 == "\t" }
      if let first = words.first, let value = Int(first) { return value }
    }
    return nil
  }
}
