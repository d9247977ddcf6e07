/// What makes two orders "the same": a versioned SHA-256 over the canonical bytes of an order's content.
///
/// Content is currency, customer, fulfilment, items and cost. Not content are the external id (it is the key that is
/// compared under), the times, the remark on the whole order, and the payment and notification settings. Stored with
/// the order at creation, so that an order sent again is recognised however it comes: by a call or in a file.
public struct ContentFingerprint: Hashable, Sendable {
  /// Which canonical form was hashed.
  public let version: Int16
  /// The hash of it.
  public let digest: SHA256Digest

  /// Makes a fingerprint as it was stored.
  public init(version: Int16, digest: SHA256Digest) {
    self.version = version
    self.digest = digest
  }

  /// Computes the fingerprint of an order.
  ///
  /// - Parameter scratch: A buffer to reuse from one order to the next; its content is replaced.
  public init(of order: ValidatedOrder, scratch: inout [UInt8], sha256: SHA256Function) {
    scratch.removeAll(keepingCapacity: true)
    order.appendCanonicalBytes(to: &scratch)
    self.init(version: Self.currentVersion, digest: scratch.withUnsafeBytes(sha256))
  }

  /// The version that new fingerprints have.
  public static let currentVersion: Int16 = 1
}

extension ValidatedOrder {
  /// Appends the canonical form, version 1, of the order's content.
  ///
  /// One version byte; then the fields in fixed order. A text is its length in bytes (u32) and its UTF-8; a number is
  /// an i64; an optional number is a byte 0, or a byte 1 and the number; all integers are little-endian. Every field
  /// is there even when it is empty, so that no two contents share a form.
  public func appendCanonicalBytes(to bytes: inout [UInt8]) {
    bytes.append(UInt8(clamping: ContentFingerprint.currentVersion))
    bytes.append(text: cost.currency.code)
    bytes.append(text: customer.name)
    bytes.append(text: customer.phone)
    bytes.append(text: customer.email)
    switch fulfilment {
    case .pickup:
      bytes.append(1)
    case .delivery(let place):
      bytes.append(2)
      bytes.append(text: place.address)
      bytes.append(text: place.instructions)
    }
    bytes.append(integer: UInt32(clamping: items.count))
    for item in items {
      bytes.append(text: item.name)
      bytes.append(text: item.sku)
      bytes.append(integer: item.quantity.thousandths)
      if let unitPrice = item.unitPrice {
        bytes.append(1)
        bytes.append(integer: unitPrice)
      } else {
        bytes.append(0)
      }
      bytes.append(integer: item.total)
      bytes.append(text: item.note)
    }
    bytes.append(integer: cost.subtotal)
    bytes.append(integer: cost.delivery)
    bytes.append(integer: cost.total)
  }
}

extension [UInt8] {
  fileprivate mutating func append(text: String) {
    append(integer: UInt32(clamping: text.utf8.count))
    append(contentsOf: text.utf8)
  }

  fileprivate mutating func append(integer: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: integer.littleEndian) { append(contentsOf: $0) }
  }
}
