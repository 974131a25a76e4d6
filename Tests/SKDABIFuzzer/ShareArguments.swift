import CSKD

extension RandomArguments {
  /// A part of a batch whose other parts add zeros, or whose functions fail or give what no sum is.
  func share() -> UnsafeMutablePointer<skd_batch_share>? {
    let sums: [skd_sum_function?] = [
      { _, _, _ in 0 },
      { _, _, _ in 0 },
      { _, values, count in
        for i in 0..<Int(count) { values?[i] = .nan }
        return 0
      },
      { _, values, count in
        for i in 0..<Int(count) { values?[i] = -1e300 }
        return 0
      },
      { _, _, _ in 7 },
      nil,
    ]
    let beginnings: [skd_begin_function?] = [
      { _, _, _ in 0 },
      { _, _, _ in 0 },
      { _, gradients, count in
        for i in 0..<Int(count) { gradients?[i] = .infinity }
        return 0
      },
      { _, _, _ in 7 },
      nil,
    ]
    let ends: [skd_await_function?] = [{ _ in 0 }, { _ in 0 }, { _ in 7 }, nil]
    return reference(
      skd_batch_share(
        first: size([0, 1, 5]), total: size([3, 8, 64]), sync_batch_norm: code(0...1),
        sum: once(in: 2) ? sums[0] : element(of: sums),
        begin_gradients: once(in: 2) ? beginnings[0] : element(of: beginnings),
        await_gradients: element(of: ends), context: nil))
  }
}
