import ComandaProtos
import ComandaRPC
import ComandaTransport

/// A business that does nothing wrong, and to which nothing may happen.
struct Bystander {
  private let channel: ClientChannel
  private let order: Comanda_V1_Order

  init(on server: Server) async throws {
    let account = try await Account.make(on: server)
    channel = try ClientChannel(
      target: .init(host: "127.0.0.1", port: server.port),
      tls: .client(trust: .authorities(.file(server.authority))), credential: account.token,
      interceptors: [Patience()])
    order = try await Comanda_V1_OrderService.Client(channel).createOrder(.init(.sample()))
  }

  func leave() async throws {
    try await channel.close()
  }

  /// Asks whether the server is well, and for an order; returns what is wrong.
  func look() async -> String? {
    do {
      let health = try await Comanda_V1_HealthService.Client(channel).getHealth(.init())
      guard health.state == .serving else { return "the server says that it is \(health.state)" }
      let found = try await Comanda_V1_OrderService.Client(channel).getOrder(.with { $0.orderID = order.orderID })
      return found == order ? nil : "its order has changed"
    } catch {
      return "\(error)"
    }
  }
}
