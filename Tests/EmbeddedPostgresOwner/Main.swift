import ComandaEmbeddedPostgres
import Glibc
import Logging

/// A server as far as its database goes: starts a private PostgreSQL, prints where it is, and keeps it until killed.
/// A test kills it, to see what becomes of the PostgreSQL.
@main
enum Main {
  static func main() async {
    let postgres = EmbeddedPostgres(directory: CommandLine.arguments[1], logger: Logger(label: "owner"))
    do {
      print(try await postgres.start())
      fflush(nil)
      try await postgres.run()
    } catch {
      print("error: \(error)")
      exit(1)
    }
  }
}
