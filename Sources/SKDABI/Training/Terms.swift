import CSKD
import SKDFewShot
import SKDRuntime

/// The terms of a trainer call, checked.
func lossTerms(_ terms: UnsafePointer<skd_term>?, _ count: Int64, _ arguments: Arguments) throws
  -> [LossTerm]
{
  let count = try arguments.size(count, "term_count", in: 0...64)
  guard count > 0 else { return [] }
  let terms = try arguments.pointer(terms, "terms")
  return try (0..<count).map { try lossTerm(terms[$0], arguments) }
}

private func lossTerm(_ term: skd_term, _ arguments: Arguments) throws -> LossTerm {
  let name = String(cString: try arguments.pointer(term.name, "terms.name"))
  let function = try arguments.pointer(term.function, "terms.function")
  let reads = try arguments.size(Int64(term.reads), "terms.reads", in: 0...1)
  try arguments.finite(term.weight, "weight of term '\(name)'")
  let source: LossTerm.Source = reads == Int(SKD_TERM_LOGITS) ? .logits : .embedding
  return LossTerm(name: name, source: source, weight: term.weight) { input in
    var value = Double.nan
    var gradient: UnsafePointer<Float>?
    let degrees = input.views.map { Int32(90 * $0.quarterTurns) }
    let outcome = degrees.withUnsafeBufferPointer { degrees in
      var given = skd_term_input(
        rows: input.rows.pointer, batch: Int64(input.images), view_count: Int64(degrees.count),
        dimensions: Int64(input.rows.shape.channels), degrees: degrees.baseAddress,
        labels: input.labels)
      return function(term.context, &given, &value, &gradient)
    }
    guard outcome == 0 else {
      throw SKDError.callbackFailed(
        "term '\(name)' of \(arguments.function) must return 0; got \(outcome)")
    }
    guard let gradient else {
      throw SKDError.callbackFailed(
        "term '\(name)' of \(arguments.function) must set its gradient; got NULL")
    }
    return (value, gradient)
  }
}
