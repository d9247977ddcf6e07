import ArgumentParser
import ComandaDomain
import ComandaServerConfiguration
import ComandaServices
import ComandaStore
import Foundation

/// `comanda-server business`
struct BusinessCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "business", abstract: "Create and list businesses.",
    subcommands: [CreateBusiness.self, ListBusinesses.self])
}

/// `comanda-server business create`
struct CreateBusiness: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a business, and print its id as JSON.",
    discussion: """
      Example: comanda-server business create --embedded ./comanda-data \\
                 --name 'Trattoria Roma'
      """)

  @OptionGroup(title: "Database")
  var database: DatabaseOptions

  @Option(help: "Its name, 1 to 200 characters.")
  var name: String

  func validate() throws {
    guard (1...200).contains(name.unicodeScalars.count) else { throw ValidationError("a name has 1 to 200 characters") }
  }

  func run() async throws {
    let name = self.name
    try await Administration.run(on: database) { pool, logger in
      let now = ServiceEnvironment.live.now()
      var random = SystemRandomNumberGenerator()
      let business = Business(id: .make(at: now, using: &random), name: name, createdAt: now)
      try await PostgresBusinessStore(pool: pool, logger: logger).create(
        business, by: Mutation(actor: .operator, method: "comanda-server/business-create", at: now, request: nil))
      try JSONLine.write(BusinessLine(business))
    }
  }
}

/// `comanda-server business list`
struct ListBusinesses: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List businesses, one line of JSON each.",
    discussion: "Example: comanda-server business list --embedded ./comanda-data")

  @OptionGroup(title: "Database")
  var database: DatabaseOptions

  @Option(help: "How many at most.")
  var limit = 1_000

  func validate() throws {
    guard (1...100_000).contains(limit) else { throw ValidationError("--limit is 1 to 100000") }
  }

  func run() async throws {
    let limit = self.limit
    try await Administration.run(on: database) { pool, logger in
      for business in try await PostgresBusinessStore(pool: pool, logger: logger).list(limit: limit) {
        try JSONLine.write(BusinessLine(business))
      }
    }
  }
}

private struct BusinessLine: Encodable {
  let businessId: String
  let name: String
  let createdAt: String

  init(_ business: Business) {
    businessId = business.id.description
    name = business.name
    createdAt = business.createdAt.description
  }
}
