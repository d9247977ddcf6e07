import Logging

/// Which database to use.
public enum DatabaseConfiguration: Hashable, Sendable {
  /// A private PostgreSQL under the directory; `binaries` is the folder of its programs, nil to find them.
  case embedded(directory: String, binaries: String?)
  /// A PostgreSQL that somebody else runs.
  case url(DatabaseURL)
}

/// The server's certificate chain and private key, as PEM files.
public struct CertificateFiles: Hashable, Sendable {
  /// The certificate, followed by those that lead to the authority.
  public let certificate: String
  /// The private key.
  public let key: String
}

/// A time or bound by its name, not checked yet.
public struct Limit: Hashable, Sendable {
  /// The name, `keepalive-interval`.
  public let name: String
  /// The value as written, `30s`.
  public let value: String
  /// Where it was given, in words for a message.
  public let origin: String
}

/// How a server is to run, checked as far as that is possible without opening anything.
public struct ServerConfiguration: Hashable, Sendable {
  /// Which database to use.
  public let database: DatabaseConfiguration
  /// Nil, only with an embedded database: the server makes a development authority and a certificate.
  public let certificate: CertificateFiles?
  /// Authorities that sign clients' certificates, a PEM file; nil to ask for none.
  public let clientAuthority: String?
  /// Keys of session tickets that replicas share, a file; nil to have the server make and rotate its own.
  public let ticketKeys: String?
  /// Where to accept connections; at least one.
  public let listen: [Listen]
  /// Times and bounds that differ from their defaults, by name, in the order in which they were given.
  public let limits: [Limit]
  /// From which level on to log.
  public let logLevel: Logger.Level
}

extension DatabaseConfiguration {
  /// Reads the settings that concern the database.
  ///
  /// - Throws: `ConfigurationError`.
  public init(_ options: DatabaseOptions, environment: [String: String]) throws {
    try self.init(SettingSources(flags: options.flags, environment: environment, file: options.config))
  }

  init(_ sources: SettingSources) throws {
    let embedded = try sources.setting(.embedded)
    let url = try sources.setting(.databaseURL)
    let binaries = try sources.setting(.postgresBin)
    switch (embedded, url) {
    case (nil, nil):
      throw ConfigurationError(
        "no database: give --embedded DIR for a private PostgreSQL under DIR, "
          + "or --database-url postgresql://USER@HOST/NAME for one that runs already")
    case (let embedded?, let url?) where embedded.rank == url.rank:
      throw ConfigurationError("\(embedded.origin) and \(url.origin) exclude each other: give one")
    case (let embedded?, let url?):
      self = try embedded.rank < url.rank ? .embedded(embedded, binaries) : .url(url, binaries)
    case (let embedded?, nil):
      self = try .embedded(embedded, binaries)
    case (nil, let url?):
      self = try .url(url, binaries)
    }
  }

  private static func embedded(_ directory: Setting, _ binaries: Setting?) throws -> DatabaseConfiguration {
    for setting in [directory, binaries].compactMap(\.self) where setting.value.isEmpty {
      throw ConfigurationError(setting, "has to name a directory")
    }
    return .embedded(directory: directory.value, binaries: binaries?.value)
  }

  private static func url(_ url: Setting, _ binaries: Setting?) throws -> DatabaseConfiguration {
    if let binaries, binaries.rank <= url.rank {
      throw ConfigurationError(
        binaries, shows: binaries.value, "is for a private PostgreSQL only, and \(url.origin) names another")
    }
    // The value is not shown: what is no URI may hold a password anywhere.
    guard let checked = DatabaseURL(url.value) else {
      throw ConfigurationError(url, "is no database URL; right would be postgresql://USER@HOST:5432/NAME")
    }
    return .url(checked)
  }
}

extension ServerConfiguration {
  /// Reads all settings: flags before environment before file before defaults.
  ///
  /// - Throws: `ConfigurationError`.
  public init(_ database: DatabaseOptions, _ serving: ServingOptions, environment: [String: String]) throws {
    let flags = database.flags.merging(serving.flags) { first, _ in first }
    try self.init(SettingSources(flags: flags, environment: environment, file: database.config))
  }

  init(_ sources: SettingSources) throws {
    database = try DatabaseConfiguration(sources)
    certificate = try CertificateFiles(sources)
    if certificate == nil, case .url = database {
      throw ConfigurationError(
        "no certificate: with --database-url give --tls-cert FILE and --tls-key FILE "
          + "(only --embedded makes itself one, for development)")
    }
    clientAuthority = try sources.file(.tlsClientCA, "has to name a PEM file")
    ticketKeys = try sources.file(.ticketKeys, "has to name a file of ticket keys")
    let plain = try sources.setting(.listen).map { try Listen.all(in: $0, areProxied: false) }
    let proxied = try sources.setting(.listenProxy).map { try Listen.all(in: $0, areProxied: true) }
    listen = plain == nil && proxied == nil ? [.standard] : (plain ?? []) + (proxied ?? [])
    limits = try sources.setting(.limit).map(Limit.all(in:)) ?? []
    logLevel = try sources.setting(.logLevel).map(Logger.Level.init(setting:)) ?? .info
  }
}

extension SettingSources {
  /// The name of a file, or nil when none was given.
  fileprivate func file(_ key: SettingKey, _ problem: String) throws -> String? {
    try setting(key).map { setting in
      guard !setting.value.isEmpty else { throw ConfigurationError(setting, problem) }
      return setting.value
    }
  }
}

extension CertificateFiles {
  /// Nil when neither file is named.
  fileprivate init?(_ sources: SettingSources) throws {
    switch (try sources.setting(.tlsCert), try sources.setting(.tlsKey)) {
    case (nil, nil): return nil
    case (let certificate?, nil): throw ConfigurationError(certificate, "needs --tls-key FILE with it")
    case (nil, let key?): throw ConfigurationError(key, "needs --tls-cert FILE with it")
    case (let certificate?, let key?):
      for setting in [certificate, key] where setting.value.isEmpty {
        throw ConfigurationError(setting, "has to name a PEM file")
      }
      self.init(certificate: certificate.value, key: key.value)
    }
  }
}

extension Listen {
  /// The most sockets to listen on.
  private static let most = 16

  fileprivate static func all(in setting: Setting, areProxied: Bool) throws -> [Listen] {
    let texts = setting.value.split(separator: ",", omittingEmptySubsequences: false)
    guard texts.count <= most else { throw ConfigurationError(setting, "names more than \(most) addresses") }
    return try texts.map { text in
      guard let listen = Listen(text, isProxied: areProxied) else {
        throw ConfigurationError(
          setting, shows: String(text),
          "is no HOST:PORT; right would be 127.0.0.1:7443, [::]:7443 or unix:/run/comanda.sock")
      }
      return listen
    }
  }
}

extension Limit {
  fileprivate static func all(in setting: Setting) throws -> [Limit] {
    try setting.value.split(separator: ",", omittingEmptySubsequences: false).map { text in
      let parts = text.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else {
        throw ConfigurationError(
          setting, shows: String(text), "is no NAME=VALUE; right would be keepalive-interval=30s")
      }
      return Limit(name: String(parts[0]), value: String(parts[1]), origin: setting.origin)
    }
  }
}

extension Logger.Level {
  fileprivate init(setting: Setting) throws {
    guard let level = Logger.Level(rawValue: setting.value) else {
      let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigurationError(setting, shows: setting.value, "is no log level; right would be one of \(levels)")
    }
    self = level
  }
}
