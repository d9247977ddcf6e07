/// What can be configured. One name is the flag's (`--database-url`), the file's (`"database-url"`) and, in capitals
/// with a prefix, the environment's (`COMANDA_DATABASE_URL`).
enum SettingKey: String, CaseIterable {
  case embedded
  case postgresBin = "postgres-bin"
  case databaseURL = "database-url"
  case tlsCert = "tls-cert"
  case tlsKey = "tls-key"
  case tlsClientCA = "tls-client-ca"
  case ticketKeys = "ticket-keys"
  case listen
  case listenProxy = "listen-proxy"
  case limit
  case logLevel = "log-level"
}

/// A value that was given, and by what.
struct Setting: Equatable {
  let value: String
  /// The place, in words for a message: `--listen`, `COMANDA_LISTEN`, `"listen" in server.json`.
  let origin: String
  /// 0 for a flag, 1 for the environment, 2 for the file: the lower one wins.
  let rank: Int
}
