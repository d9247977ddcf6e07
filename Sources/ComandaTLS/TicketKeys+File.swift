extension TicketKeys {
  /// The most keys that a file may hold: a day's, if they are rotated every two hours.
  static let fileKeyLimit = 16
  /// More than so many keys take, with a comment for each.
  private static let fileByteLimit = 16 << 10

  /// Starts with the keys of a file that replicas share, so that a session begun with one is resumed by the others.
  ///
  /// One key a line, the newest first, each of 160 hexadecimal digits, as `openssl rand -hex 80` makes them; empty
  /// lines and those that begin with `#` are skipped. To rotate, put a new key first on all replicas and have each read
  /// the file anew; drop a key when its tickets are over (2 hours).
  ///
  /// - Throws: ``TLSError/configuration(_:)`` if the file cannot be used, or other users of the machine can read it:
  ///   whoever has a key can resume sessions as the clients that they belong to.
  public convenience init(file: String) throws(TLSError) {
    self.init(try Self.read(file), retained: Self.fileKeyLimit, file: file)
  }

  /// Reads the keys' file anew, if they came from one.
  ///
  /// - Throws: ``TLSError/configuration(_:)`` if it cannot be used; the keys then stay as they are.
  public func reread() throws(TLSError) {
    if let file { replace(with: try Self.read(file)) }
  }

  private static func read(_ path: String) throws(TLSError) -> [Key] {
    let bytes: [UInt8]
    do throws(FileProblem) {
      bytes = try readFile(path, byteCountLimit: fileByteLimit, isSecret: true)
    } catch {
      throw .configuration("ticket keys \(path) cannot be read: \(error)")
    }
    var keys: [Key] = []
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      let text = String(decoding: line, as: UTF8.self).filter { !$0.isWhitespace }
      if text.isEmpty || text.hasPrefix("#") { continue }
      // The line itself may be a key with a typing error, so it is not shown.
      guard let key = Key(hexadecimal: text) else {
        throw .configuration(
          "ticket keys \(path): line \(index + 1) is no key; right would be \(Key.byteCount * 2) hexadecimal digits, "
            + "as 'openssl rand -hex \(Key.byteCount)' makes them")
      }
      guard !keys.contains(where: { $0.name == key.name }) else {
        throw .configuration("ticket keys \(path): line \(index + 1) has a key, or a key's name, that came before")
      }
      keys.append(key)
    }
    guard (1...fileKeyLimit).contains(keys.count) else {
      throw .configuration("ticket keys \(path): it holds \(keys.count) keys; right would be 1 to \(fileKeyLimit)")
    }
    return keys
  }
}

extension TicketKeys.Key {
  fileprivate init?(hexadecimal text: String) {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
    self.init(bytes: stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
  }
}
