import ComandaImportFiles
import FoundationEssentials

/// How to reach a server, and as whom: what a `client.json` says.
///
/// ```json
/// {"server": "127.0.0.1:7443", "ca": "ca.pem", "token": "…"}
/// ```
///
/// The token is a secret: no description and no error shows it.
public struct ClientProfile: Sendable {
  /// Where the server listens.
  public var server: ServerAddress
  /// The file with the certificate authorities to trust, PEM; nil for those of the operating system.
  public var authorityPath: String?
  /// The bearer token; nil for calls that need none.
  public var token: String?

  /// A profile of these parts.
  public init(server: ServerAddress, authorityPath: String? = nil, token: String? = nil) {
    self.server = server
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
    } catch DecodingError.keyNotFound(let key, _) {
      throw .malformed(path: path, "it has no \"\(key.stringValue)\"")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
      let key = context.codingPath.last?.stringValue
      throw .malformed(path: path, key.map { "its \"\($0)\" is not a text" } ?? "it is not a JSON object")
    } catch {
      throw .malformed(path: path, "it is not valid JSON")
    }
    guard let server = ServerAddress(fields.server) else {
      throw .malformed(path: path, "its \"server\" is not of the form host:port, such as 127.0.0.1:7443")
    }
    if let token = fields.token, !Self.isToken(token) {
      throw .malformed(path: path, "its \"token\" is not a token: 1 to 4,096 visible ASCII characters")
    }
    self.init(server: server, authorityPath: fields.ca.map { Self.path($0, beside: path) }, token: fields.token)
  }

  /// Whether a text can be a bearer token: a wrong one is told before it is sent.
  public static func isToken(_ text: String) -> Bool {
    (1...4096).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }

  private struct Fields: Decodable {
    var server: String
    var ca: String?
    var token: String?
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
  /// The server and the authority; of the token only whether there is one.
  public var description: String {
    "\(server), \(authorityPath ?? "system authorities"), \(token == nil ? "no token" : "with a token")"
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
