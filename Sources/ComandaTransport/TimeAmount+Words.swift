import NIOCore

extension TimeAmount {
  /// `2 s`, `250 ms`.
  var inWords: String {
    nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000) s" : "\(nanoseconds / 1_000_000) ms"
  }
}
