extension Open {
  /// What a call costs besides its messages: its state here and above, and the task of its handler.
  private static let callOverhead = 1_024
  /// What a metadata field costs besides its bytes: two strings with their headers.
  private static let fieldOverhead = 96

  /// The memory that a call keeps from its beginning to its end, about.
  var memory: UInt64 {
    var bytes = Self.callOverhead + (message?.readableBytes ?? 0) + metadata.count * Self.fieldOverhead
    for index in metadata.indices { bytes += metadata[index].key.utf8.count + metadata[index].value.utf8.count }
    return UInt64(bytes)
  }
}
