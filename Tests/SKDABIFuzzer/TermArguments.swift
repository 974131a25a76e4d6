import CSKD
import Foundation

extension RandomArguments {
  /// The options of a step on images of the models' side, or none.
  func stepOptions() -> UnsafeMutablePointer<skd_step_options>? {
    if once(in: 4) { return nil }
    let count = size([0, 0, 1, 2])
    return reference(
      skd_step_options(
        terms: terms(count), term_count: count, share: once(in: 2) ? nil : share(),
        side: size([0, 16])))
  }

  /// Images of the models that calls work on.
  func images(_ batch: Int64) -> UnsafeMutablePointer<Float>? { floats(batch, 16, 16, 3) }

  /// Zeros for any parameter of those models.
  var zeros: UnsafeMutablePointer<Float>? { Self.zeros }

  nonisolated(unsafe) private static let zeros: UnsafeMutablePointer<Float> = {
    let zeros = UnsafeMutablePointer<Float>.allocate(capacity: 1_024)
    zeros.initialize(repeating: 0, count: 1_024)
    return zeros
  }()

  /// Terms whose functions do as they should, or fail in every way that a function can.
  func terms(_ count: Int64) -> UnsafeMutablePointer<skd_term>? {
    let functions: [skd_term_function?] = [
      { _, input, value, gradient in
        value?.pointee = 0.5
        gradient?.pointee = input?.pointee.rows
        return 0
      },
      { _, _, value, gradient in
        value?.pointee = .nan
        gradient?.pointee = nil
        return 0
      },
      { _, input, value, gradient in
        value?.pointee = .infinity
        gradient?.pointee = input?.pointee.rows
        return 0
      },
      { _, _, _, _ in 7 },
      nil,
    ]
    return array([count]) {
      skd_term(
        name: self.once(in: 20) ? nil : Self.termName, reads: self.code(0...1),
        weight: self.float(), function: self.element(of: functions + functions.prefix(1) * 4),
        context: nil)
    }
  }

  nonisolated(unsafe) private static let termName = UnsafePointer<CChar>(strdup("term"))
}

private func * <Element>(elements: ArraySlice<Element>, times: Int) -> [Element] {
  (0..<times).flatMap { _ in elements }
}
