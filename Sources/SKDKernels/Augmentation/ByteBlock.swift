/// 48 consecutive bytes of an image: 16 pixels of three channels, and whole pixels of any number of
/// channels up to four.
struct ByteBlock {
  static let byteCount = 48
  static let pixelCount = 16  // of three channels
  /// Bytes that `init(first48:)` reads.
  static let readableBytes = 64

  typealias Quarter = SIMD16<UInt8>

  /// Lanes from 48 on are of no meaning.
  private(set) var lanes: SIMD64<UInt8>

  @inline(__always)
  fileprivate init(_ lanes: SIMD64<UInt8>) { self.lanes = lanes }

  /// Takes 48 of 64 readable bytes, which is one load and, for three channels, one shuffle.
  @inline(__always)
  init(first48 bytes: UnsafePointer<UInt8>) {
    lanes = UnsafeRawPointer(bytes).loadUnaligned(as: SIMD64<UInt8>.self)
  }

  /// Reads 48 bytes.
  @inline(__always)
  init(_ bytes: UnsafePointer<UInt8>) {
    let raw = UnsafeRawPointer(bytes)
    // A bit cast, for the standard library's halves are loops over lanes that are not always
    // inlined.
    lanes = unsafeBitCast(
      (
        raw.loadUnaligned(as: Quarter.self),
        raw.loadUnaligned(fromByteOffset: 16, as: Quarter.self),
        raw.loadUnaligned(fromByteOffset: 32, as: Quarter.self), Quarter(repeating: 0)
      ), to: SIMD64<UInt8>.self)
  }

  /// Reads `byteCount` bytes, fewer than 64; the others are 0.
  init(_ bytes: UnsafePointer<UInt8>, byteCount: Int) {
    lanes = SIMD64(repeating: 0)
    withUnsafeMutableBytes(of: &lanes) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: byteCount))
    }
  }

  /// Bytes 0..<16, 16..<32 and 32..<48.
  @inline(__always)
  var quarters: (Quarter, Quarter, Quarter) {
    let all = unsafeBitCast(lanes, to: (Quarter, Quarter, Quarter, Quarter).self)
    return (all.0, all.1, all.2)
  }

  /// The bytes as numbers.
  @inline(__always)
  var values: (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>) {
    let quarters = quarters
    return (converted(quarters.0), converted(quarters.1), converted(quarters.2))
  }

  /// Writes 48 bytes.
  @inline(__always)
  func store(_ bytes: UnsafeMutablePointer<UInt8>) {
    let (raw, quarters) = (UnsafeMutableRawPointer(bytes), quarters)
    raw.storeBytes(of: quarters.0, as: Quarter.self)
    raw.storeBytes(of: quarters.1, toByteOffset: 16, as: Quarter.self)
    raw.storeBytes(of: quarters.2, toByteOffset: 32, as: Quarter.self)
  }

  /// Writes the first `byteCount` bytes, up to 48.
  func store(_ bytes: UnsafeMutablePointer<UInt8>, byteCount: Int) {
    withUnsafeBytes(of: lanes) {
      UnsafeMutableRawPointer(bytes).copyMemory(
        from: $0.baseAddress.unsafelyUnwrapped, byteCount: byteCount)
    }
  }
}

/// Covers `0..<byteCount` by blocks of 48 bytes: calls `body(offset)` as long as 64 bytes can be
/// read, then `rest(offset, byteCount)` with the remaining bytes, up to 48 at a time.
@inline(__always)
func forEachBlock(
  of byteCount: Int, _ body: (_ offset: Int) -> Void,
  rest: (_ offset: Int, _ byteCount: Int) -> Void
) {
  var offset = 0
  while offset &+ ByteBlock.readableBytes <= byteCount {
    body(offset)
    offset &+= ByteBlock.byteCount
  }
  while offset < byteCount {
    rest(offset, min(byteCount &- offset, ByteBlock.byteCount))
    offset &+= ByteBlock.byteCount
  }
}

// The lanes below are written out because the compiler makes a few byte shuffles of that, but a
// hundred instructions of a loop over them.

extension ByteBlock {
  /// The 16 pixels of three channels in reverse order.
  @inline(__always)
  var mirrored: ByteBlock {
    ByteBlock(
      SIMD64(
        lanes[45], lanes[46], lanes[47], lanes[42], lanes[43], lanes[44], lanes[39], lanes[40],
        lanes[41], lanes[36], lanes[37], lanes[38], lanes[33], lanes[34], lanes[35], lanes[30],
        lanes[31], lanes[32], lanes[27], lanes[28], lanes[29], lanes[24], lanes[25], lanes[26],
        lanes[21], lanes[22], lanes[23], lanes[18], lanes[19], lanes[20], lanes[15], lanes[16],
        lanes[17], lanes[12], lanes[13], lanes[14], lanes[9], lanes[10], lanes[11], lanes[6],
        lanes[7], lanes[8], lanes[3], lanes[4], lanes[5], lanes[0], lanes[1], lanes[2], 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
      ))
  }

  /// 16 pixels of three channels as words: red in the lowest byte, 0 in the highest.
  @inline(__always)
  var words: SIMD16<UInt32> {
    let spread = SIMD64(
      lanes[0], lanes[1], lanes[2], 0, lanes[3], lanes[4], lanes[5], 0, lanes[6], lanes[7],
      lanes[8], 0, lanes[9], lanes[10], lanes[11], 0, lanes[12], lanes[13], lanes[14], 0, lanes[15],
      lanes[16], lanes[17], 0, lanes[18], lanes[19], lanes[20], 0, lanes[21], lanes[22], lanes[23],
      0, lanes[24], lanes[25], lanes[26], 0, lanes[27], lanes[28], lanes[29], 0, lanes[30],
      lanes[31], lanes[32], 0, lanes[33], lanes[34], lanes[35], 0, lanes[36], lanes[37], lanes[38],
      0, lanes[39], lanes[40], lanes[41], 0, lanes[42], lanes[43], lanes[44], 0, lanes[45],
      lanes[46], lanes[47], 0
    )
    return unsafeBitCast(spread, to: SIMD16<UInt32>.self)
  }

  /// Reverses `words`.
  @inline(__always)
  init(words: SIMD16<UInt32>) {
    let v = unsafeBitCast(words, to: SIMD64<UInt8>.self)
    lanes = SIMD64(
      v[0], v[1], v[2], v[4], v[5], v[6], v[8], v[9], v[10], v[12], v[13], v[14], v[16], v[17],
      v[18], v[20], v[21], v[22], v[24], v[25], v[26], v[28], v[29], v[30], v[32], v[33], v[34],
      v[36], v[37], v[38], v[40], v[41], v[42], v[44], v[45], v[46], v[48], v[49], v[50], v[52],
      v[53], v[54], v[56], v[57], v[58], v[60], v[61], v[62], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0
    )
  }
}

/// The interleaved values 0..<16, 16..<32 and 32..<48 of the result of `ByteBlock.words`.
///
/// - Returns: The values of `ByteBlock(words:)`, without the detour over bytes.
@inline(__always)
func interleaved(
  _ words: SIMD16<UInt32>
) -> (SIMD16<UInt32>, SIMD16<UInt32>, SIMD16<UInt32>) {
  let v = unsafeBitCast(words, to: SIMD64<UInt8>.self)
  let first = SIMD64(
    v[0], 0, 0, 0, v[1], 0, 0, 0, v[2], 0, 0, 0, v[4], 0, 0, 0, v[5], 0, 0, 0, v[6], 0, 0, 0, v[8],
    0, 0, 0, v[9], 0, 0, 0, v[10], 0, 0, 0, v[12], 0, 0, 0, v[13], 0, 0, 0, v[14], 0, 0, 0, v[16],
    0, 0, 0, v[17], 0, 0, 0, v[18], 0, 0, 0, v[20], 0, 0, 0
  )
  let second = SIMD64(
    v[21], 0, 0, 0, v[22], 0, 0, 0, v[24], 0, 0, 0, v[25], 0, 0, 0, v[26], 0, 0, 0, v[28], 0, 0, 0,
    v[29], 0, 0, 0, v[30], 0, 0, 0, v[32], 0, 0, 0, v[33], 0, 0, 0, v[34], 0, 0, 0, v[36], 0, 0, 0,
    v[37], 0, 0, 0, v[38], 0, 0, 0, v[40], 0, 0, 0, v[41], 0, 0, 0
  )
  let third = SIMD64(
    v[42], 0, 0, 0, v[44], 0, 0, 0, v[45], 0, 0, 0, v[46], 0, 0, 0, v[48], 0, 0, 0, v[49], 0, 0, 0,
    v[50], 0, 0, 0, v[52], 0, 0, 0, v[53], 0, 0, 0, v[54], 0, 0, 0, v[56], 0, 0, 0, v[57], 0, 0, 0,
    v[58], 0, 0, 0, v[60], 0, 0, 0, v[61], 0, 0, 0, v[62], 0, 0, 0
  )
  return unsafeBitCast(
    (first, second, third), to: (SIMD16<UInt32>, SIMD16<UInt32>, SIMD16<UInt32>).self)
}
