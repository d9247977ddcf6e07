/// Lends the bytes as one piece of memory, copying only collections that are not stored that way.
@inline(__always)
func withContiguousBytes<R>(_ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
  let result = bytes.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
  return result ?? Array(bytes).withUnsafeBytes(body)
}

/// For calls of libcrypto that cannot fail on any input: only a broken installation or the end of memory stops here.
func require(_ status: Int32, _ call: StaticString) {
  guard status == 1 else { fatalError("libcrypto: \(call) failed") }
}
