import CCRC32C

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4): finds accidental damage, not tampering.
public struct CRC32C: Hashable, Sendable {
  /// The checksum of all bytes so far; 0 for none.
  public private(set) var value: UInt32

  /// Starts anew, or goes on from the value that earlier bytes had.
  public init(continuing value: UInt32 = 0) {
    self.value = value
  }

  /// Takes more bytes.
  public mutating func update(_ bytes: some Collection<UInt8>) {
    value = withContiguousBytes(bytes) { crc32c_extend(value, $0.baseAddress, $0.count) }
  }

  /// The checksum of these bytes.
  public static func checksum(_ bytes: some Collection<UInt8>) -> UInt32 {
    var crc = CRC32C()
    crc.update(bytes)
    return crc.value
  }
}
