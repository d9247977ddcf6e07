import ComandaProtos
import ComandaRPC
import NIOCore
import Synchronization

/// What earlier answers told of: ids of things that exist, and requests that were answered well.
///
/// Requests made of these get past the checks of their form, into the store.
final class KnownThings: Sendable {
  /// A request, field by field, as it was sent.
  struct Request: Sendable {
    let method: MethodDescriptor
    let fields: [[UInt8]]
  }

  private struct State {
    var orders: [String] = []
    var imports: [String] = []
    var nextRows: [String: Int64] = [:]
    var etags: [String] = []
    var pages: [(request: Request, token: String)] = []
    var answered: [Request] = []
    var owners: [String: String] = [:]
  }

  /// Of each kind, so many are remembered.
  private static let capacity = 64

  private let state = Mutex(State())

  /// One of the things that are known, or nil.
  private func any<Value: Sendable>(
    _ path: KeyPath<State, [Value]>, _ random: inout SeededRandom
  ) -> Value? {
    state.withLock { $0[keyPath: path].randomElement(using: &random) }
  }

  func order(_ random: inout SeededRandom) -> String? { any(\.orders, &random) }
  func importID(_ random: inout SeededRandom) -> String? { any(\.imports, &random) }
  func etag(_ random: inout SeededRandom) -> String? { any(\.etags, &random) }
  func page(_ random: inout SeededRandom) -> (request: Request, token: String)? { any(\.pages, &random) }
  func answered(_ random: inout SeededRandom) -> Request? { any(\.answered, &random) }

  /// The row that an upload goes on with.
  func nextRow(of importID: String) -> Int64 {
    state.withLock { $0.nextRows[importID] ?? 1 }
  }

  /// Takes the answers of a call into account.
  /// - Returns: what in them must not be there; nil when all is well.
  func learn(from answers: [ByteBuffer], to call: FuzzCall) throws -> String? {
    var problem: String?
    for answer in answers {
      switch call.method.path {
      case Comanda_V1_OrderService.Method.createOrder.path, Comanda_V1_OrderService.Method.getOrder.path,
        Comanda_V1_OrderService.Method.updateOrderStatus.path, Comanda_V1_OrderService.Method.cancelOrder.path:
        problem = learn(of: [try Comanda_V1_Order(rpcBytes: answer)], in: call) ?? problem
      case Comanda_V1_OrderService.Method.batchGetOrders.path:
        problem = learn(of: try Comanda_V1_BatchGetOrdersResponse(rpcBytes: answer).orders, in: call) ?? problem
      case Comanda_V1_OrderService.Method.listOrders.path:
        let page = try Comanda_V1_ListOrdersResponse(rpcBytes: answer)
        problem = learn(of: page.orders, in: call) ?? problem
        learn(page: page.nextPageToken, of: call)
      case Comanda_V1_OrderService.Method.listOrderEvents.path:
        _ = try Comanda_V1_ListOrderEventsResponse(rpcBytes: answer)
      case Comanda_V1_OrderService.Method.getOrderStatistics.path:
        _ = try Comanda_V1_OrderStatistics(rpcBytes: answer)
      case Comanda_V1_BatchImportService.Method.createImport.path,
        Comanda_V1_BatchImportService.Method.getImport.path, Comanda_V1_BatchImportService.Method.resumeImport.path,
        Comanda_V1_BatchImportService.Method.cancelImport.path:
        problem = learn(of: [try Comanda_V1_Import(rpcBytes: answer)], in: call) ?? problem
      case Comanda_V1_BatchImportService.Method.listImports.path:
        let page = try Comanda_V1_ListImportsResponse(rpcBytes: answer)
        problem = learn(of: page.imports, in: call) ?? problem
        learn(page: page.nextPageToken, of: call)
      case Comanda_V1_BatchImportService.Method.listImportRows.path:
        learn(page: try Comanda_V1_ListImportRowsResponse(rpcBytes: answer).nextPageToken, of: call)
      case Comanda_V1_BatchImportService.Method.uploadRows.path:
        let response = try Comanda_V1_UploadRowsResponse(rpcBytes: answer)
        if let importID = call.importID { learn(committed: response.committedRow, of: importID) }
      case Comanda_V1_BatchImportService.Method.watchImport.path:
        _ = try Comanda_V1_ImportProgress(rpcBytes: answer)
      case Comanda_V1_HealthService.Method.getHealth.path, Comanda_V1_HealthService.Method.watchHealth.path:
        _ = try Comanda_V1_Health(rpcBytes: answer)
      default: problem = "the method is not offered, and was answered"
      }
    }
    if !answers.isEmpty, call.method.kind == .unary, !call.fields.isEmpty {
      keep(Request(method: call.method, fields: call.fields), in: \.answered)
    }
    return problem
  }

  /// How far an import has got, as an error said.
  func learn(committed row: Int64, of importID: String) {
    guard row >= 0, row < .max else { return }
    state.withLock { $0.nextRows[importID] = row + 1 }
  }

  private func learn(of orders: [Comanda_V1_Order], in call: FuzzCall) -> String? {
    for order in orders {
      keep(order.orderID, in: \.orders)
      keep(order.etag, in: \.etags)
      if let problem = claim(order.orderID, by: call) { return problem }
    }
    return nil
  }

  private func learn(of imports: [Comanda_V1_Import], in call: FuzzCall) -> String? {
    for value in imports {
      keep(value.importID, in: \.imports)
      learn(committed: value.progress.committedRow, of: value.importID)
      if let problem = claim(value.importID, by: call) { return problem }
    }
    return nil
  }

  private func learn(page token: String, of call: FuzzCall) {
    guard !token.isEmpty, !call.fields.isEmpty else { return }
    keep((Request(method: call.method, fields: call.fields), token), in: \.pages)
  }

  /// Whoever sees a thing first owns it.
  private func claim(_ id: String, by call: FuzzCall) -> String? {
    guard let business = call.business else { return "it was answered, though it names no business" }
    return state.withLock { state in
      let owner = state.owners[id] ?? business
      state.owners[id] = owner
      return owner == business ? nil : "it was told of \(id), which belongs to the business \(owner)"
    }
  }

  private func keep<Value: Sendable>(_ value: Value, in path: WritableKeyPath<State, [Value]>) {
    state.withLock { state in
      if state[keyPath: path].count == Self.capacity { state[keyPath: path].removeFirst() }
      state[keyPath: path].append(value)
    }
  }
}
