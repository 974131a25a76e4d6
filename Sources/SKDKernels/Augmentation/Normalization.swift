/// Tabulates the normalisation of every byte: `table[c, v] = (v / 255 - mean[c]) / std[c]`, in
/// float32 and in this order, as torchvision computes it.
///
/// Overwrites `table`, `[channels, 256]`; allocates nothing.
public func fillNormalizationTable(
  mean: UnsafePointer<Float>, std: UnsafePointer<Float>, channels: Int,
  into table: UnsafeMutablePointer<Float>
) {
  for c in 0..<channels {
    for v in 0..<256 { table[256 * c + v] = (Float(v) / 255 - mean[c]) / std[c] }
  }
}

/// Normalises `pixelCount` pixels: `output[i, c] = table[c, bytes[i, c]]`.
///
/// Overwrites `output`; allocates nothing. A table look-up needs no division and is exact.
public func normalizePixels(
  _ bytes: UnsafePointer<UInt8>, pixelCount: Int, channels: Int, table: UnsafePointer<Float>,
  into output: UnsafeMutablePointer<Float>
) {
  if channels == 3 {
    for i in 0..<pixelCount {
      let (pixel, normalized) = (bytes + 3 * i, output + 3 * i)
      normalized[0] = table[Int(pixel[0])]
      normalized[1] = table[256 + Int(pixel[1])]
      normalized[2] = table[512 + Int(pixel[2])]
    }
    return
  }
  for i in 0..<pixelCount {
    for c in 0..<channels {
      output[i * channels + c] = table[256 * c + Int(bytes[i * channels + c])]
    }
  }
}
