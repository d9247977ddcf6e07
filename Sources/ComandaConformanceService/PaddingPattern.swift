import Foundation

/// The bytes that make messages large: byte i is i mod 251. A period that is no power of two shows a segment that is
/// missing, doubled or out of its place.
public enum PaddingPattern {
  /// Some periods, to copy and to compare in large pieces.
  private static let block = Data((0..<251 * 256).map { UInt8($0 % 251) })

  /// So many bytes of the pattern.
  public static func bytes(_ count: Int) -> Data {
    var bytes = Data(capacity: count)
    while bytes.count < count { bytes.append(block.prefix(count - bytes.count)) }
    return bytes
  }

  /// Where bytes leave the pattern; nil when they do not.
  public static func firstDifference(in bytes: Data) -> Int? {
    var start = 0
    while start < bytes.count {
      let piece = bytes.dropFirst(start).prefix(block.count)
      if piece != block.prefix(piece.count) {
        return zip(piece, block).enumerated().first { $0.element.0 != $0.element.1 }.map { start + $0.offset }
      }
      start += piece.count
    }
    return nil
  }
}
