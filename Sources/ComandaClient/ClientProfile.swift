import ComandaImportFiles
import FoundationEssentials

/// How to reach the servers of one platform, and as whom: what a `client.json` says.
///
/// ```json
/// {"server": "127.0.0.1:7443", "ca": "ca.pem", "token": "…"}
/// {"servers": ["orders-1:7443", "orders-2:7443"], "server_name": "orders.internal", "ca": "ca.pem", "token": "…"}
/// ```
///
/// With both `server` and `servers` the latter count: a profile can be for clients of both kinds. The token is a secret: no description and no error shows it.
public struct ClientProfile: Sendable {
  /// Where the servers listen; calls take turns on them. At least one.
  public var servers: [ServerAddress]
  /// The name to find in the servers' certificates; nil for the host of each (`localhost` for a Unix socket).
  public var serverName: String?
  /// The file with the certificate authorities to trust, PEM; nil for those of the operating system.
  public var authorityPath: String?
  /// The bearer token; nil for calls that need none.
  public var token: String?

  /// A profile of these parts.
  public init(
    servers: [ServerAddress], serverName: String? = nil, authorityPath: String? = nil, token: String? = nil
  ) {
    self.servers = servers
    self.serverName = serverName
    self.authorityPath = authorityPath
    self.token = token
  }

  /// Reads a profile file. A relative `ca` is looked for beside the file.
  /// - Throws: ``ClientProfileError``.
  public init(path: String) throws(ClientProfileError) {
    let content = try Self.content(of: path)
    let fields: Fields
    do {
      fields = try JSONDecoder().decode(Fields.self, from: content)
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
      guard let key = context.codingPath.first?.stringValue else {
        throw .malformed(path: path, "it is not a JSON object")
      }
      throw .malformed(path: path, "its \"\(key)\" is not \(key == "servers" ? "a list of texts" : "a text")")
    } catch {
      throw .malformed(path: path, "it is not valid JSON")
    }
    guard let texts = fields.servers ?? fields.server.map({ [$0] }), !texts.isEmpty else {
      throw .malformed(path: path, "it has no \"server\"")
    }
    let servers = texts.compactMap(ServerAddress.init)
    guard servers.count == texts.count else {
      let key = fields.servers == nil ? "server" : "servers"
      throw .malformed(
        path: path, "its \"\(key)\" is not of the form host:port, such as 127.0.0.1:7443, or unix:/path")
    }
    if let token = fields.token, !Self.isToken(token) {
      throw .malformed(path: path, "its \"token\" is not a token: 1 to 4,096 visible ASCII characters")
    }
    self.init(
      servers: servers, serverName: fields.serverName, authorityPath: fields.ca.map { Self.path($0, beside: path) },
      token: fields.token)
  }

  /// Whether a text can be a bearer token: a wrong one is told before it is sent.
  public static func isToken(_ text: String) -> Bool {
    (1...4096).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }

  private struct Fields: Decodable {
    var server: String?
    var servers: [String]?
    var serverName: String?
    var ca: String?
    var token: String?

    enum CodingKeys: String, CodingKey {
      case server, servers, ca, token
      case serverName = "server_name"
    }
  }

  /// A profile is a few hundred bytes; what is longer is another file.
  private static let sizeLimit = 64 * 1024

  private static func content(of path: String) throws(ClientProfileError) -> Data {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: sizeLimit + 1, alignment: 1)
    defer { buffer.deallocate() }
    var count = 0
    do throws(OrderFileError) {
      let file = try FileByteSource(path: path)
      while count < buffer.count {
        let read = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
        if read == 0 { break }
        count += read
      }
    } catch {
      if case .cannotRead(_, let reason) = error { throw .cannotRead(path: path, reason: reason) }
      throw .cannotRead(path: path, reason: error.description)
    }
    guard count <= sizeLimit else { throw .malformed(path: path, "it is larger than \(sizeLimit / 1024) KiB") }
    return Data(buffer[..<count])
  }

  private static func path(_ path: String, beside profile: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let slash = profile.lastIndex(of: "/") else { return path }
    return profile[...slash] + path
  }
}

extension ClientProfile: CustomStringConvertible, CustomReflectable {
  /// The servers and the authority; of the token only whether there is one.
  public var description: String {
    "\(servers.map(\.description).joined(separator: ", ")), \(authorityPath ?? "system authorities"), \(token == nil ? "no token" : "with a token")"
  }

  /// Keeps the token out of dumps too.
  public var customMirror: Mirror {
    Mirror(self, children: ["description": description])
  }
}

/// Why a profile cannot be used.
public enum ClientProfileError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The operating system refused.
  case cannotRead(path: String, reason: String)
  /// The file is there and says something else.
  case malformed(path: String, String)
  /// The certificate authorities that it names cannot be used; says why.
  case authorities(String)

  /// What is wrong, and what would be right.
  public var description: String {
    switch self {
    case .cannotRead(let path, let reason):
      "cannot read the profile \(path): \(reason)"
    case .malformed(let path, let problem):
      "the profile \(path) cannot be used: \(problem); it must look like "
        + #"{"server":"127.0.0.1:7443","ca":"ca.pem","token":"…"}"#
    case .authorities(let reason):
      "the certificate authorities cannot be used: \(reason)"
    }
  }
}
