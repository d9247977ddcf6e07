import ComandaProtos
import ComandaRPC
import Foundation

/// What the schema says of how calls fail.
struct NamedStatuses {
  /// The reasons that `ErrorDetails.reason` lists.
  private let reasons: Set<String>

  init() throws {
    let schema = try String(
      contentsOf: Place.checkout.appending(path: "proto/comanda/v1/errors.proto"), encoding: .utf8)
    let list = schema.prefix { _ in true }.components(separatedBy: "string reason = 1;").first ?? ""
    reasons = Set(list.matches(of: /`([A-Z_]{2,63})`/).map { String($0.output.1) })
    guard reasons.contains("INVALID_FIELDS") else { throw HarnessError("errors.proto lists no reasons") }
  }

  /// What is wrong with how a call failed; nil when the schema has it so.
  func problem(with error: RPCError, of call: FuzzCall) -> String? {
    guard isExpected(error, of: call) else { return "\(error.code) is no status of this call" }
    if error.message.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" }) {
      return "the message holds a control character"
    }
    guard !error.details.isEmpty else { return nil }
    guard let reason = error.reason else { return "the details are no ErrorDetails" }
    guard reasons.contains(reason), reason != "INTERNAL" else { return "\(reason) is no reason of the schema" }
    return nil
  }

  private func isExpected(_ error: RPCError, of call: FuzzCall) -> Bool {
    switch error.code {
    case .invalidArgument, .resourceExhausted: true
    case .cancelled: call.patience != nil || call.isHurried || !call.endsRequests
    case .deadlineExceeded: call.isHurried
    case .unauthenticated: call.caller.isUnknown || !call.metadata.isEmpty
    case .permissionDenied: call.caller == .reader || !call.metadata.isEmpty
    case .dataLoss: error.reason == "CHUNK_DAMAGED"
    case .notFound where call.caller == .internalService && error.reason == "BUSINESS_NOT_FOUND": true
    default: (Self.ofMethods[call.method.path] ?? [.unimplemented]).contains(error.code)
    }
  }

  /// Whether the server has a method: the others of the schema are UNIMPLEMENTED for now.
  static func isOffered(_ method: MethodDescriptor) -> Bool {
    ofMethods[method.path] != nil
  }

  /// Statuses that the schema names beside the methods, other than those of any call.
  private static let ofMethods: [String: Set<StatusCode>] = {
    typealias Orders = Comanda_V1_OrderService.Method
    typealias Imports = Comanda_V1_BatchImportService.Method
    typealias Health = Comanda_V1_HealthService.Method
    let change: Set<StatusCode> = [.notFound, .failedPrecondition, .aborted, .alreadyExists]
    return [
      Orders.createOrder.path: [.alreadyExists, .aborted], Orders.getOrder.path: [.notFound],
      Orders.batchGetOrders.path: [], Orders.listOrders.path: [.unimplemented],
      Orders.updateOrderStatus.path: change, Orders.cancelOrder.path: change,
      Orders.listOrderEvents.path: [.notFound], Orders.getOrderStatistics.path: [.unimplemented],
      Imports.createImport.path: [.unimplemented, .alreadyExists, .aborted],
      Imports.uploadRows.path: change.union([.outOfRange]),
      Imports.watchImport.path: [.notFound], Imports.getImport.path: [.notFound], Imports.listImports.path: [],
      Imports.listImportRows.path: [.notFound], Imports.resumeImport.path: change, Imports.cancelImport.path: change,
      Health.getHealth.path: [.notFound], Health.watchHealth.path: [.notFound],
    ]
  }()
}

extension FuzzCaller {
  fileprivate var isUnknown: Bool {
    self == .stranger || self == .forger
  }
}
