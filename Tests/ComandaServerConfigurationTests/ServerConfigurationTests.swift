import ArgumentParser
import Foundation
import Logging
import Testing

@testable import ComandaServerConfiguration

@Suite("server configuration")
struct ServerConfigurationTests {
  private func configuration(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> ServerConfiguration {
    struct Command: ParsableArguments {
      @OptionGroup var database: DatabaseOptions
      @OptionGroup var serving: ServingOptions
    }
    let command = try Command.parse(arguments)
    return try ServerConfiguration(command.database, command.serving, environment: environment)
  }

  private func message(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
    try #require(throws: ConfigurationError.self) { try configuration(arguments, environment: environment) }.description
  }

  private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "comanda-\(UUID()).json").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test("an embedded database alone is enough: loopback, its own certificate, level info")
  func embeddedDefaults() throws {
    let found = try configuration(["--embedded", "/srv/c"])
    #expect(found.database == .embedded(directory: "/srv/c", binaries: nil))
    #expect(found.certificate == nil)
    #expect(found.listen == [.standard])
    #expect(found.logLevel == .info)
  }

  @Test("flags win over the environment, the environment over the file, the file over defaults")
  func precedence() throws {
    let text = #"{"embedded": "/file", "listen": "10.0.0.1:1", "log-level": "debug", "postgres-bin": "/pg"}"#
    try withFile(text) { path in
      let environment = ["COMANDA_LISTEN": "10.0.0.2:2", "COMANDA_EMBEDDED": "/environment", "COMANDA_CONFIG": path]
      let found = try configuration(["--listen", "10.0.0.3:3"], environment: environment)
      #expect(found.listen == [Listen(socket: .tcp(ListenAddress(host: "10.0.0.3", port: 3)), isProxied: false)])
      #expect(found.database == .embedded(directory: "/environment", binaries: "/pg"))
      #expect(found.logLevel == .debug)
    }
  }

  @Test("ticket keys come from a file that is named, or from the server itself")
  func ticketKeys() throws {
    let base = ["--embedded", "d"]
    #expect(try configuration(base).ticketKeys == nil)
    #expect(try configuration(base + ["--ticket-keys", "t.keys"]).ticketKeys == "t.keys")
    #expect(try configuration(base, environment: ["COMANDA_TICKET_KEYS": "e.keys"]).ticketKeys == "e.keys")
    #expect(try message(base + ["--ticket-keys", ""]).contains("--ticket-keys"))
  }

  @Test("a variable that is set to nothing counts as not set")
  func emptyVariable() throws {
    let environment = ["COMANDA_LISTEN": "", "COMANDA_DATABASE_URL": "", "COMANDA_CONFIG": ""]
    #expect(try configuration(["--embedded", "d"], environment: environment).listen == [.standard])
  }

  @Test("of an embedded database and a URL the one from the stronger source is taken")
  func strongerDatabase() throws {
    let url = "postgresql://u@h/n"
    let tls = ["--tls-cert", "c", "--tls-key", "k"]
    let embedded = try configuration(["--embedded", "d"], environment: ["COMANDA_DATABASE_URL": url])
    #expect(embedded.database == .embedded(directory: "d", binaries: nil))
    let remote = try configuration(
      ["--database-url", url] + tls, environment: ["COMANDA_EMBEDDED": "d", "COMANDA_POSTGRES_BIN": "/pg"])
    #expect(remote.database == DatabaseURL(url).map { .url($0) })
    #expect(remote.certificate == CertificateFiles(certificate: "c", key: "k"))
  }

  @Test(
    "what cannot be used is named, with where it came from and what would be right",
    arguments: [
      ([], [:], ["--embedded DIR", "--database-url postgresql://"]),
      (["--embedded", "d", "--database-url", "postgresql://h/n"], [:], ["--embedded and --database-url exclude"]),
      (["--embedded", ""], [:], ["--embedded: has to name a directory"]),
      (["--embedded", "d", "--listen", "7443"], [:], ["--listen: \"7443\" is no HOST:PORT", "127.0.0.1:7443"]),
      (["--embedded", "d"], ["COMANDA_LISTEN": "::1:7443"], ["COMANDA_LISTEN: \"::1:7443\"", "[::]:7443"]),
      (["--embedded", "d"], ["COMANDA_LOG_LEVEL": "loud"], ["COMANDA_LOG_LEVEL: \"loud\"", "trace, debug, info"]),
      (["--embedded", "d", "--tls-cert", "c"], [:], ["--tls-cert: needs --tls-key"]),
      (["--embedded", "d", "--tls-key", "k"], [:], ["--tls-key: needs --tls-cert"]),
      (["--database-url", "postgresql://h/n"], [:], ["no certificate", "--tls-cert"]),
      (
        ["--database-url", "postgresql://h/n", "--postgres-bin", "/b"], [:], ["--postgres-bin: \"/b\" is for a private"]
      ),
    ] as [([String], [String: String], [String])])
  func messages(arguments: [String], environment: [String: String], parts: [String]) throws {
    let message = try message(arguments, environment: environment)
    for part in parts { #expect(message.contains(part)) }
  }

  @Test(
    "a file is refused by name when it is missing, no object of strings, or has a key that means nothing",
    arguments: [
      (nil, "cannot be read"),
      ("[1]", "no JSON object"),
      ("{\"listen\": \"a:1\"", "no JSON object"),
      ("{\"embedded\": \"d\", \"listen\": 7443}", "\"listen\" in "),
      ("{\"embedded\": \"d\", \"lisen\": \"a:1\"}", "unknown key \"lisen\"; known are embedded"),
    ] as [(String?, String)])
  func badFiles(text: String?, expected: String) throws {
    try withFile(text ?? "") { path in
      let path = text == nil ? path + ".missing" : path
      let message = try message(["--config", path])
      #expect(message.contains(expected))
      #expect(message.contains(path))
    }
  }

  @Test("a wrong database URL is not repeated, for it may hold a password")
  func wrongURL() throws {
    let message = try message(["--database-url", "mysql://root:hunter2@h/n"])
    #expect(message.contains("--database-url"))
    #expect(!message.contains("hunter2"))
  }

  @Test(
    "the description of a database URL shows no password",
    arguments: [
      ("postgresql://u:hunter2@h:5432/n?x=1", "postgresql://u:***@h:5432/n?x=1"),
      ("postgres://u:hunter2@with@at@h/n", "postgres://u:***@h/n"),
      (
        "postgresql://u@h/n?password=hunter2&sslpassword=hunter2&a=b",
        "postgresql://u@h/n?password=***&sslpassword=***&a=b"
      ),
      ("postgresql:///n?host=/run/pg", "postgresql:///n?host=/run/pg"),
      ("postgresql://h:5432/n", "postgresql://h:5432/n"),
    ])
  func maskedURL(text: String, shown: String) throws {
    #expect(try #require(DatabaseURL(text)).description == shown)
  }

  @Test("several addresses, Unix sockets, and ports behind a load balancer, in their order")
  func listeners() throws {
    let arguments = ["--embedded", "d", "--listen", "0.0.0.0:7443,unix:/run/c.sock", "--listen-proxy", "[::]:7444"]
    #expect(
      try configuration(arguments).listen == [
        Listen(socket: .tcp(ListenAddress(host: "0.0.0.0", port: 7443)), isProxied: false),
        Listen(socket: .unix(path: "/run/c.sock"), isProxied: false),
        Listen(socket: .tcp(ListenAddress(host: "::", port: 7444)), isProxied: true),
      ])
    #expect(try configuration(["--embedded", "d", "--listen-proxy", "h:1"]).listen.map(\.isProxied) == [true])
    #expect(try message(["--embedded", "d", "--listen", "h:1,unix:run/c.sock"]).contains("unix:/run/comanda.sock"))
    let deep = "unix:/" + String(repeating: "x", count: 107)
    #expect(try message(["--embedded", "d", "--listen", deep]).contains("is no HOST:PORT"))
  }

  @Test("limits are gathered from repeated flags, or from one text; one without a value is refused")
  func limits() throws {
    let flags = try configuration(["--embedded", "d", "--limit", "a=1", "--limit", "b:c/d=2"]).limits
    #expect(
      flags == [.init(name: "a", value: "1", origin: "--limit"), .init(name: "b:c/d", value: "2", origin: "--limit")])
    let variable = try configuration(["--embedded", "d"], environment: ["COMANDA_LIMIT": "a=1,b=2"]).limits
    #expect(variable.map(\.name) == ["a", "b"])
    #expect(
      try message(["--embedded", "d", "--limit", "a"])
        == "--limit: \"a\" is no NAME=VALUE; right would be keepalive-interval=30s")
  }

  @Test(
    "a listen address is read and written alike",
    arguments: ["127.0.0.1:7443", "localhost:0", "[::1]:65535", "[fe80::1%eth0]:1", "a-b.example:80"])
  func listenAddresses(text: String) throws {
    #expect(try #require(ListenAddress(text)).description == text)
  }

  @Test(
    "what is no HOST:PORT is refused",
    arguments: [
      "", ":", ":1", "h", "h:", "h:65536", "h:-1", "h:+1", "h:1x", "::1:1", "[]:1", "a b:1", "h:000001", "h/:1",
    ])
  func badListenAddresses(text: String) {
    #expect(ListenAddress(text) == nil)
  }
}
