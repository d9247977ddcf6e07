import ComandaDomain
import Testing

@Suite("The content fingerprint")
struct ContentFingerprintTests {
  private let now = Timestamp(microseconds: 1_795_000_000_000_000)

  private func draft() -> OrderDraft {
    var item = ItemDraft()
    item.name = "寿司"
    item.sku = "S1"
    item.quantity = Quantity(thousandths: 1_500)
    item.unitPrice = 2
    item.total = 3
    item.note = "n"
    var draft = OrderDraft()
    draft.externalID = "A-1"
    draft.customer = Customer(name: "T", phone: "1", email: "a@b")
    draft.fulfilment = .delivery(DeliveryAddress(address: "x", instructions: "y"))
    draft.items = [item]
    draft.cost.delivery = 1
    return draft
  }

  private func canonical(_ draft: OrderDraft) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try draft.validated(now: now).appendCanonicalBytes(to: &bytes)
    return bytes
  }

  @Test("version 1 of the canonical form is these bytes for ever")
  func golden() throws {
    var expected: [UInt8] = [1]
    expected += [3, 0, 0, 0] + Array("JPY".utf8)
    expected += [1, 0, 0, 0] + Array("T".utf8)
    expected += [1, 0, 0, 0] + Array("1".utf8)
    expected += [3, 0, 0, 0] + Array("a@b".utf8)
    expected += [2, 1, 0, 0, 0] + Array("x".utf8) + [1, 0, 0, 0] + Array("y".utf8)
    expected += [1, 0, 0, 0]
    expected += [6, 0, 0, 0, 0xE5, 0xAF, 0xBF, 0xE5, 0x8F, 0xB8]
    expected += [2, 0, 0, 0] + Array("S1".utf8)
    expected += [0xDC, 5, 0, 0, 0, 0, 0, 0]
    expected += [1, 2, 0, 0, 0, 0, 0, 0, 0]
    expected += [3, 0, 0, 0, 0, 0, 0, 0]
    expected += [1, 0, 0, 0] + Array("n".utf8)
    expected += [3, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 0, 0, 0, 0, 0] + [4, 0, 0, 0, 0, 0, 0, 0]
    #expect(try canonical(draft()) == expected)
  }

  @Test("a pickup without unit price has a shorter form")
  func goldenPickup() throws {
    var draft = draft()
    draft.fulfilment = .pickup
    draft.cost.delivery = nil
    draft.items[0].unitPrice = nil
    let bytes = try canonical(draft)
    #expect(bytes.count == (try canonical(self.draft())).count - 10 - 8)
    #expect(bytes[25] == 1)
  }

  static let changes: [@Sendable (inout OrderDraft) -> Void] = [
    { $0.currency = "USD" }, { $0.customer.name = "U" }, { $0.customer.phone = "2" }, { $0.customer.email = "a@c" },
    { $0.fulfilment = .delivery(DeliveryAddress(address: "z", instructions: "y")) },
    { $0.fulfilment = .delivery(DeliveryAddress(address: "x", instructions: "z")) },
    {
      $0.fulfilment = .pickup
      $0.cost.delivery = nil
    },
    { $0.items.append($0.items[0]) }, { $0.items[0].name = "鮨" }, { $0.items[0].sku = "S2" },
    { $0.items[0].quantity = Quantity(thousandths: 1) }, { $0.items[0].unitPrice = nil },
    { $0.items[0].unitPrice = 0 }, { $0.items[0].total = 4 }, { $0.items[0].note = "" }, { $0.cost.delivery = 2 },
    // A text moves from one field to its neighbour.
    {
      $0.customer.name = "T1"
      $0.customer.phone = ""
    },
  ]

  @Test("every change of the content changes the form", arguments: changes.indices)
  func content(_ index: Int) throws {
    var changed = draft()
    Self.changes[index](&changed)
    #expect(try canonical(changed) != canonical(draft()))
  }

  @Test("external id, time, note, payment and notification are no content")
  func noContent() throws {
    var changed = draft()
    changed.externalID = "B-2"
    changed.placedAt = Timestamp(microseconds: 1)
    changed.note = "for the window seat"
    changed.paymentMethod = .value(.cash)
    changed.notificationChannel = .value(.push)
    changed.cost.subtotal = 3
    changed.currency = "JPY"
    #expect(try canonical(changed) == canonical(draft()))
  }

  @Test("the fingerprint is the hash of the canonical form, whatever was in the buffer before")
  func hashes() throws {
    let order = try draft().validated(now: now)
    var scratch: [UInt8] = [9, 9, 9]
    let fingerprint = ContentFingerprint(of: order, scratch: &scratch) { bytes in
      SHA256Digest([UInt8](repeating: UInt8(truncatingIfNeeded: bytes.count), count: 32)) ?? fallback
    }
    #expect(fingerprint.version == 1)
    #expect(fingerprint.digest.bytes.first == UInt8(truncatingIfNeeded: try canonical(draft()).count))
    #expect(scratch == (try canonical(draft())))
  }
}

private let fallback: SHA256Digest = {
  guard let digest = SHA256Digest([UInt8](repeating: 0, count: 32)) else {
    preconditionFailure("32 bytes are a digest")
  }
  return digest
}()
