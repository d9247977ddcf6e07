import ComandaProtos
import ComandaRPC

/// Whether the server can be used: `comanda.v1.HealthService`.
public struct HealthService: Comanda_V1_HealthService.Server {
  /// How often a watch looks.
  private static let interval = Duration.milliseconds(500)

  private let services: [String]
  private let isReachable: @Sendable () async -> Bool

  /// A service that tells of these services, each of which needs what `isReachable` looks for.
  public init(services: [String], isReachable: @escaping @Sendable () async -> Bool) {
    self.services = services
    self.isReachable = isReachable
  }

  /// Tells the state as it is.
  public func getHealth(
    _ request: Comanda_V1_GetHealthRequest, context: ServerContext
  ) async throws -> Comanda_V1_Health {
    try await health(of: request.service, context)
  }

  /// Tells the state, and each change of it.
  public func watchHealth(
    _ request: Comanda_V1_WatchHealthRequest, responses: ResponseWriter<Comanda_V1_Health>, context: ServerContext
  ) async throws {
    var last: Comanda_V1_Health?
    while true {
      let health = try await health(of: request.service, context)
      if health != last { try await responses.send(health) }
      last = health
      if context.isDraining { throw RPCError.draining(resumeAfter: 0) }
      try await Task.sleep(for: Self.interval)
    }
  }

  private func health(of service: String, _ context: ServerContext) async throws -> Comanda_V1_Health {
    guard service.isEmpty || services.contains(service) else {
      throw RPCError(.notFound, "this server has no such service; it has \(services.joined(separator: ", "))")
    }
    let state: Comanda_V1_HealthState =
      if context.isDraining { .draining } else { await isReachable() ? .serving : .notServing }
    return .with { health in
      health.state = state
      if service.isEmpty {
        health.services = services.map { name in
          .with {
            $0.service = name
            $0.state = state
          }
        }
      }
    }
  }
}
