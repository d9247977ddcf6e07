import ComandaProtos
import ComandaRPC
import ComandaTLS
import ComandaTransport

/// The services of one server.
///
/// ```swift
/// let client = try ComandaClient(profile: ClientProfile(path: "client.json"))
/// let order = try await client.orders.getOrder(.with { $0.externalID = "S-000001" })
/// await client.close()
/// ```
///
/// It connects with the first call, and again with the next call after a connection was lost. A call that fails for a
/// lost connection fails with UNAVAILABLE; ``ImportUploader`` and ``ImportWatcher`` go on by themselves.
public struct ComandaClient: Sendable {
  /// Orders.
  public let orders: Comanda_V1_OrderService.Client
  /// Bulk imports.
  public let imports: Comanda_V1_BatchImportService.Client
  /// Payments.
  public let payments: Comanda_V1_PaymentService.Client
  /// Notifications.
  public let notifications: Comanda_V1_NotificationService.Client
  /// The state of the server.
  public let health: Comanda_V1_HealthService.Client

  private let connection: ClientChannel?

  /// A client of the profile's server. It does not connect yet.
  /// - Parameter software: a name and version for the server's logs.
  /// - Throws: ``ClientProfileError`` when the certificate authorities cannot be used.
  public init(profile: ClientProfile, software: String = "comanda-swift") throws(ClientProfileError) {
    var settings = ClientSettings()
    settings.software = software
    let trust: TLSConfiguration.Trust = profile.authorityPath.map { .authorities(.file($0)) } ?? .system
    do {
      let channel = try ClientChannel(
        target: ClientChannel.Target(host: profile.server.host, port: profile.server.port),
        tls: .client(trust: trust), credential: profile.token, settings: settings)
      self.init(channel: channel, connection: channel)
    } catch {
      throw .authorities("\(error)")
    }
  }

  /// A client whose calls go over a channel that its owner closes.
  public init(channel: any RPCChannel) {
    self.init(channel: channel, connection: nil)
  }

  private init(channel: any RPCChannel, connection: ClientChannel?) {
    orders = Comanda_V1_OrderService.Client(channel)
    imports = Comanda_V1_BatchImportService.Client(channel)
    payments = Comanda_V1_PaymentService.Client(channel)
    notifications = Comanda_V1_NotificationService.Client(channel)
    health = Comanda_V1_HealthService.Client(channel)
    self.connection = connection
  }

  /// Closes the connection; calls that are open end with CANCELLED.
  public func close() async {
    // Shutting down can only fail when it has happened already.
    try? await connection?.close()
  }
}
