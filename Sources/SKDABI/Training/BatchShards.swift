import CSKD
import SKDNN
import SKDRuntime

extension BatchShard {
  /// Images of a whole batch, so that no count of their values overflows.
  private static let maximumTotal = 1 << 28

  /// The share of a trainer call, checked.
  init(_ share: skd_batch_share, images: Int, _ arguments: Arguments) throws {
    let first = try arguments.size(share.first, "share.first", in: 0...Self.maximumTotal)
    let total = try arguments.size(
      share.total, "share.total", in: first + images...Self.maximumTotal + images)
    let syncs = try arguments.flag(share.sync_batch_norm, "share.sync_batch_norm")
    let sum = try arguments.pointer(share.sum, "share.sum")
    let begin = try arguments.pointer(share.begin_gradients, "share.begin_gradients")
    let finish = try arguments.pointer(share.await_gradients, "share.await_gradients")
    let context = share.context
    func check(_ outcome: Int32, _ name: String) throws {
      guard outcome == 0 else {
        throw SKDError.callbackFailed(
          "share.\(name) of \(arguments.function) must return 0; got \(outcome)")
      }
    }
    self.init(
      images: images, first: first, total: total, syncsBatchNorm: syncs,
      sum: { try check(sum(context, $0, Int64($1)), "sum") },
      beginGradients: { try check(begin(context, $0, Int64($1)), "begin_gradients") },
      awaitGradients: { try check(finish(context), "await_gradients") })
  }
}
