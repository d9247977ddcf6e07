import ComandaDomain
import ComandaImportCodec
import ComandaProtos
import Foundation
import SwiftProtobuf

/// The same rows as messages of SwiftProtobuf, which is the second opinion on every byte.
extension Comanda_V1_ImportRow {
  init(_ row: TestRow) {
    self.init()
    switch row.content {
    case .order(let order): self.order = Comanda_V1_OrderDraft(order)
    case .unreadable(let externalID, let problems):
      unreadable = .with {
        $0.externalID = externalID
        $0.problems = problems.map { problem in
          .with {
            $0.code = problem.code
            $0.field = problem.field
            $0.message = problem.message
            $0.line = problem.line ?? 0
          }
        }
      }
    }
    lines = row.lines.map { line in
      .with {
        $0.number = line.line
        $0.raw = Data(line.bytes)
      }
    }
  }
}

extension Comanda_V1_OrderDraft {
  init(_ order: OrderDraft) {
    self.init()
    externalID = order.externalID
    if let moment = order.placedAt {
      placedAt = Google_Protobuf_Timestamp(seconds: moment.seconds, nanos: moment.nanoseconds)
    }
    if order.customer != Customer() {
      customer = .with {
        $0.name = order.customer.name
        $0.phone = order.customer.phone
        $0.email = order.customer.email
      }
    }
    switch order.fulfilment {
    case .pickup: pickup = Comanda_V1_Pickup()
    case .delivery(let place):
      delivery = .with {
        $0.address = place.address
        $0.instructions = place.instructions
      }
    }
    items = order.items.map(Comanda_V1_OrderItem.init)
    if order.cost != CostDraft() {
      cost = .with { cost in
        cost.subtotal = order.cost.subtotal.map { .subtotalMinor($0) }
        cost.delivery = order.cost.delivery.map { .deliveryMinor($0) }
        cost.total = order.cost.total.map { .totalMinor($0) }
      }
    }
    currency = order.currency
    switch order.paymentMethod {
    case .unspecified: break
    case .value(.creditCard): paymentMethod = .creditCard
    case .value(.cash): paymentMethod = .cash
    case .unknown(let number): paymentMethod = .UNRECOGNIZED(Int(number))
    }
    switch order.notificationChannel {
    case .unspecified: break
    case .value(.none): notificationChannel = .none
    case .value(.push): notificationChannel = .push
    case .value(.email): notificationChannel = .email
    case .value(.sms): notificationChannel = .sms
    case .unknown(let number): notificationChannel = .UNRECOGNIZED(Int(number))
    }
    note = order.note
  }
}

extension Comanda_V1_OrderItem {
  fileprivate init(_ item: ItemDraft) {
    self.init()
    name = item.name
    sku = item.sku
    quantityThousandths = item.quantity.thousandths
    unitPrice = item.unitPrice.map { .unitPriceMinor($0) }
    total = item.total.map { .totalMinor($0) }
    note = item.note
  }
}

/// A serialized `UploadRowsRequest` around serialized rows, by SwiftProtobuf, with the right checksum unless another is
/// given.
func chunkMessage(rows: [UInt8], firstRow: Int64 = 1, crc32c: UInt32? = nil) throws -> [UInt8] {
  try Comanda_V1_UploadRowsRequest.with {
    $0.chunk = .with {
      $0.importID = "an import"
      $0.firstRow = firstRow
      $0.rows = Data(rows)
      $0.rowsCrc32C = crc32c ?? checksum(of: rows)
    }
  }.serializedBytes()
}

/// A serialized `UploadRowsRequest` of rows, all by SwiftProtobuf.
func chunkMessage(_ rows: [Comanda_V1_ImportRow], firstRow: Int64 = 1) throws -> [UInt8] {
  try chunkMessage(rows: Comanda_V1_RowBatch.with { $0.rows = rows }.serializedBytes(), firstRow: firstRow)
}
