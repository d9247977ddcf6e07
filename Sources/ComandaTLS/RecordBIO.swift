import COpenSSL
import COpenSSLShims
import NIOCore

/// The socket that OpenSSL believes it has: two byte buffers.
///
/// A BIO of our own rather than OpenSSL's memory BIO, so that OpenSSL reads straight from the bytes that the channel
/// received, and writes straight into those that it will send, without a copy in between.
///
/// Access to the buffers is not checked at run time, since each access here ends before OpenSSL is called or returned to.
final class RecordBIO {
  /// Received ciphertext that OpenSSL has not read yet.
  @exclusivity(unchecked) var input = ByteBuffer()
  /// Ciphertext that OpenSSL wrote and nobody has taken yet.
  @exclusivity(unchecked) var output = ByteBuffer()

  /// A new BIO over these buffers, which must outlive it. The caller owns it.
  func makeBIO() -> OpaquePointer? {
    guard let method = recordBIOMethod, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  /// Lets go of the received bytes once all are read, so that the channel can use their storage again.
  func releaseInputIfRead() {
    if input.readableBytes == 0 {
      input = ByteBuffer()
    }
  }

  /// Drops what came after the end.
  func discardInput() {
    input = ByteBuffer()
  }

  /// Makes room for what encrypting so many bytes yields, so that the buffer is allocated once.
  func reserveOutput(forPlaintext byteCount: Int) {
    let records = byteCount / RecordBIO.plaintextLimit + 1
    output.reserveCapacity(minimumWritableBytes: byteCount + records * RecordBIO.overhead)
  }

  func takeOutput() -> ByteBuffer? {
    guard output.readableBytes > 0 else { return nil }
    defer { output = ByteBuffer() }
    return output
  }

  /// The most plaintext in one record (RFC 8446, 5.1).
  private static let plaintextLimit = 16_384
  /// Record header, inner content type and AEAD tag.
  private static let overhead = 5 + 1 + 16

  fileprivate static func of(_ bio: OpaquePointer?) -> Unmanaged<RecordBIO>? {
    BIO_get_data(bio).map { Unmanaged.fromOpaque($0) }
  }
}

/// Made once and never changed or freed, which is what makes sharing the pointer safe.
private nonisolated(unsafe) let recordBIOMethod: OpaquePointer? = {
  guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "comanda records") else { return nil }
  BIO_meth_set_read(method, readRecords)
  BIO_meth_set_write(method, writeRecords)
  BIO_meth_set_ctrl(method, controlRecords)
  return method
}()

private func readRecords(
  bio: OpaquePointer?, destination: UnsafeMutablePointer<CChar>?, capacity: Int32
) -> Int32 {
  shim_BIO_clear_retry_flags(bio)
  guard let destination, capacity > 0, let records = RecordBIO.of(bio) else { return -1 }
  let count = records._withUnsafeGuaranteedRef { records in
    records.input.readWithUnsafeReadableBytes { source in
      let count = min(source.count, Int(capacity))
      UnsafeMutableRawBufferPointer(start: destination, count: count)
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(count)))
      return count
    }
  }
  if count == 0 {
    shim_BIO_set_retry_read(bio)
    return -1
  }
  return Int32(truncatingIfNeeded: count)
}

private func writeRecords(bio: OpaquePointer?, source: UnsafePointer<CChar>?, count: Int32) -> Int32 {
  shim_BIO_clear_retry_flags(bio)
  guard let source, count > 0, let records = RecordBIO.of(bio) else { return 0 }
  records._withUnsafeGuaranteedRef { records in
    _ = records.output.writeBytes(UnsafeRawBufferPointer(start: source, count: Int(count)))
  }
  return count
}

private func controlRecords(
  bio: OpaquePointer?, command: Int32, number: Int, argument: UnsafeMutableRawPointer?
) -> Int {
  // All that OpenSSL asks of a socket is to flush, and there is nothing to wait for.
  command == BIO_CTRL_FLUSH ? 1 : 0
}
