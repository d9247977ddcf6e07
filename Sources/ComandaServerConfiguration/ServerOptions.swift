import ArgumentParser

/// The flags that say which database, for every subcommand that needs it.
///
/// They take any text: values are checked together with those of environment and file, so that all are told apart by
/// the same messages.
public struct DatabaseOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Run a private PostgreSQL under this directory.", valueName: "dir"))
  var embedded: String?

  @Option(
    name: .customLong("database-url"),
    help: ArgumentHelp("Use the PostgreSQL at this libpq URI.", valueName: "url"))
  var databaseURL: String?

  @Option(
    help: ArgumentHelp("The folder of postgres and initdb, for --embedded.", valueName: "dir"))
  var postgresBin: String?

  @Option(
    help: ArgumentHelp("A JSON file of settings, like {\"listen\": \"0.0.0.0:7443\"}.", valueName: "file"))
  var config: String?

  /// Options to be filled by the parser.
  public init() {}

  var flags: [SettingKey: String] {
    [.embedded: embedded, .databaseURL: databaseURL, .postgresBin: postgresBin].compactMapValues { $0 }
  }
}

/// The flags that say how to serve.
public struct ServingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The certificate chain, PEM.", valueName: "file"))
  var tlsCert: String?

  @Option(help: ArgumentHelp("The certificate's private key, PEM.", valueName: "file"))
  var tlsKey: String?

  @Option(
    name: .customLong("tls-client-ca"),
    help: ArgumentHelp("Ask clients for a certificate that these authorities signed, PEM (mTLS).", valueName: "file"))
  var tlsClientCA: String?

  @Option(
    help: ArgumentHelp(
      "Keys of session tickets that replicas share, newest first, a line of 'openssl rand -hex 80' each.",
      valueName: "file"))
  var ticketKeys: String?

  @Option(
    help: ArgumentHelp(
      "Where to accept connections (default: 127.0.0.1:7443); several with commas, also unix:/path.",
      valueName: "host:port"))
  var listen: String?

  @Option(
    help: ArgumentHelp(
      "The same, behind a load balancer that sends the PROXY protocol, version 2.", valueName: "host:port"))
  var listenProxy: String?

  @Option(
    help: ArgumentHelp(
      "A time or bound other than the default, may be repeated; 'comanda-server limits' lists them.",
      valueName: "name=value"))
  var limit: [String] = []

  /// Whether to offer the conformance suite's service.
  @Flag(help: "Offer the conformance suite's service too, without authentication; for tests of clients and servers.")
  public var conformance = false

  @Option(help: ArgumentHelp("trace, debug, info (default), notice, warning, error or critical.", valueName: "level"))
  var logLevel: String?

  /// Options to be filled by the parser.
  public init() {}

  var flags: [SettingKey: String] {
    [
      .tlsCert: tlsCert, .tlsKey: tlsKey, .tlsClientCA: tlsClientCA, .ticketKeys: ticketKeys,
      .listen: listen, .listenProxy: listenProxy, .limit: limit.isEmpty ? nil : limit.joined(separator: ","),
      .logLevel: logLevel,
    ].compactMapValues { $0 }
  }
}
