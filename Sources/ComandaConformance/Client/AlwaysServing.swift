import ComandaProtos
import ComandaRPC

/// A `comanda.v1.HealthService` of a server that can always be used.
struct AlwaysServing: Comanda_V1_HealthService.Server {
  func getHealth(
    _ request: Comanda_V1_GetHealthRequest, context: ServerContext
  ) async throws -> Comanda_V1_Health {
    .with { $0.state = .serving }
  }

  func watchHealth(
    _ request: Comanda_V1_WatchHealthRequest, responses: ResponseWriter<Comanda_V1_Health>, context: ServerContext
  ) async throws {
    try await responses.send(.with { $0.state = .serving })
    while true { try await Task.sleep(for: .seconds(3_600)) }
  }
}
