import COpenSSL

/// The library that speaks TLS here.
public enum TLSLibrary {
  /// Its name and version, such as `OpenSSL 3.0.17 1 Jul 2025`: that of the library loaded, not of the build.
  public static var version: String {
    OpenSSL_version(OPENSSL_VERSION).map { String(cString: $0) } ?? "an unknown OpenSSL"
  }
}
