import ComandaProtos
import ComandaRPC
import Foundation
import SwiftProtobuf

extension Comanda_V1_OrderDraft {
  /// An order of one item that breaks no rule.
  static func sample(_ externalID: String = UUID().uuidString, total: Int64 = 900) -> Comanda_V1_OrderDraft {
    .with {
      $0.externalID = externalID
      $0.currency = "JPY"
      $0.items = [
        .with {
          $0.name = "Margherita"
          $0.quantityThousandths = 1_000
          $0.totalMinor = total
        }
      ]
    }
  }
}

extension Comanda_V1_CreateOrderRequest {
  init(_ order: Comanda_V1_OrderDraft, requestID: String = "") {
    self.init()
    self.order = order
    self.requestID = requestID
  }
}

extension RPCError {
  /// What the error says to programs.
  func errorDetails() throws -> Comanda_V1_ErrorDetails {
    try Comanda_V1_ErrorDetails(serializedBytes: details)
  }

  /// The reason that programs decide by.
  var reason: String? { try? errorDetails().reason }
}
