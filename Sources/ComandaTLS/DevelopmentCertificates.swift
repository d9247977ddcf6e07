#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A certificate authority of one's own and a server certificate that it signed, kept in a folder.
///
/// For a server on the own machine, for tests and for benchmarks; nobody else trusts the authority. The server's
/// certificate is for `localhost`, `127.0.0.1`, `::1` and the names asked for.
public struct DevelopmentCertificates: Sendable, Equatable {
  /// The authority's certificate, for clients to trust.
  public let authorityFile: String
  /// The server's certificate.
  public let certificateFile: String
  /// The server's private key, readable only by its owner.
  public let privateKeyFile: String

  /// How long a certificate is valid: the most that current clients accept.
  public static let validityInDays = 825
  /// A certificate with less left is made anew.
  public static let renewalInDays = 30

  static let names = ["localhost", "127.0.0.1", "::1"]

  /// Makes what is missing, damaged, about to expire or not for these names; leaves the rest as it is.
  ///
  /// As long as the authority is valid, clients that trust it go on trusting the server's new certificates.
  ///
  /// - Parameters:
  ///   - directory: Made if it is not there, readable only by its owner.
  ///   - names: Further DNS names and IP addresses of the server.
  ///   - now: Seconds since 1970.
  public init(in directory: String, names: [String] = [], now: Int = time(nil)) throws(TLSError) {
    authorityFile = "\(directory)/ca.pem"
    certificateFile = "\(directory)/server.pem"
    privateKeyFile = "\(directory)/server.key"
    let authorityKeyFile = "\(directory)/ca.key"
    guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
      throw .configuration("\(directory) cannot be made: \(FileProblem.latest())")
    }
    let serverNames = Self.names + names.filter { !Self.names.contains($0) }
    let days = Self.renewalInDays

    var authority: CertificateWithKey
    if let kept = CertificateWithKey(certificateFile: authorityFile, keyFile: authorityKeyFile),
      kept.isValid(inDays: days, now: now)
    {
      authority = kept
    } else {
      authority = try .authority(named: "Comanda development", now: now, days: Self.validityInDays)
      try authority.save(certificateFile: authorityFile, keyFile: authorityKeyFile)
    }

    if let kept = CertificateWithKey(certificateFile: certificateFile, keyFile: privateKeyFile),
      kept.isValid(inDays: days, now: now), kept.isSigned(by: authority), kept.names(serverNames)
    {
      return
    }
    let server = try CertificateWithKey.server(
      names: serverNames, signedBy: authority, now: now, days: Self.validityInDays)
    try server.save(certificateFile: certificateFile, keyFile: privateKeyFile)
  }

  /// What a server presents.
  public var identity: TLSConfiguration.Identity {
    TLSConfiguration.Identity(certificateChain: .file(certificateFile), privateKey: .file(privateKeyFile))
  }

  /// What a client trusts.
  public var trust: TLSConfiguration.Trust {
    .authorities(.file(authorityFile))
  }
}
