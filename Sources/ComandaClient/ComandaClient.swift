import ComandaProtos
import ComandaRPC
import ComandaTLS
import ComandaTransport

/// The services of one platform, behind one server or several.
///
/// ```swift
/// let client = try ComandaClient(profile: ClientProfile(path: "client.json"))
/// let order = try await client.orders.getOrder(.with { $0.externalID = "S-000001" })
/// for try await progress in try await client.imports.watchImport(.with { $0.importID = id }) { … }
/// await client.close()
/// ```
///
/// It connects with the first call, spreads calls over the servers, and goes on with the others when one is restarted.
/// Calls that the schema calls idempotent, and those that surely did not start, are made again when they fail with
/// UNAVAILABLE; streams end with UNAVAILABLE and what is needed to go on. ``ImportUploader`` and ``ImportWatcher`` go on
/// by themselves. A call says with `CallOptions` how long it may take, and whether it waits for a server to be there.
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

  /// A client of the profile's servers. It does not connect yet.
  /// - Parameters:
  ///   - software: a name and version for the servers' logs, instead of the settings' one.
  ///   - settings: times and bounds.
  ///   - interceptors: run around every call: tracing, metrics, logs, tokens that change.
  /// - Throws: ``ClientProfileError`` when the certificate authorities cannot be used.
  public init(
    profile: ClientProfile, software: String? = nil, settings: ClientSettings = ClientSettings(),
    interceptors: [any ClientInterceptor] = []
  ) throws(ClientProfileError) {
    var settings = settings
    if let software { settings.software = software }
    let channel = try profile.channel(settings: settings, interceptors: interceptors)
    self.init(channel: channel, connection: channel)
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

  /// Closes the connections; calls that are open end with CANCELLED.
  public func close() async {
    // Closing can only fail when it has happened already.
    try? await connection?.close()
  }
}

extension ClientProfile {
  /// A channel to the profile's servers, for calls of services that ``ComandaClient`` does not have.
  /// - Throws: ``ClientProfileError`` when the certificate authorities cannot be used.
  public func channel(
    settings: ClientSettings = ClientSettings(), interceptors: [any ClientInterceptor] = []
  ) throws(ClientProfileError) -> ClientChannel {
    do {
      return try ClientChannel(
        targets: servers.map { ClientChannel.Target($0, serverName: serverName) },
        tls: .client(trust: authorityPath.map { .authorities(.file($0)) } ?? .system), credential: token,
        settings: settings, interceptors: interceptors)
    } catch {
      throw .authorities("\(error)")
    }
  }
}

extension ClientChannel.Target {
  /// A Unix socket is on this machine, and so is the name that its certificate must have if no other is said.
  fileprivate init(_ address: ServerAddress, serverName: String?) {
    switch address.location {
    case .host(let host, let port): self.init(host: host, port: port, serverName: serverName)
    case .unixSocket(let path): self.init(unixSocket: path, serverName: serverName ?? "localhost")
    }
  }
}
