/// Finds bytes that are not text.
enum TextCheck {
  /// The first NUL or, failing that, the first byte that is not UTF-8.
  static func problem(in bytes: Span<UInt8>) -> DelimitedRecord.Problem? {
    switch classify(bytes) {
    case .plainASCII: nil
    case .holdsNUL(let offset): .nulByte(offset: offset)
    case .holdsOther: invalidUTF8(in: bytes).map { .invalidUTF8(offset: $0) }
    }
  }

  /// The offset of the first byte that is not UTF-8, or nil.
  static func invalidUTF8(in bytes: Span<UInt8>) -> Int? {
    do {
      _ = try UTF8Span(validating: bytes)
      return nil
    } catch {
      return error.byteOffsets.lowerBound
    }
  }

  private enum Content { case plainASCII, holdsNUL(Int), holdsOther }

  private static func classify(_ bytes: Span<UInt8>) -> Content {
    // Branch-free over the whole line, so that the compiler makes vector code of it.
    var all: UInt8 = 0
    var least = UInt8.max
    for offset in bytes.indices {
      all |= bytes[offset]
      least = min(least, bytes[offset])
    }
    if least == 0, let offset = bytes.indices.first(where: { bytes[$0] == 0 }) { return .holdsNUL(offset) }
    return all < 0x80 ? .plainASCII : .holdsOther
  }
}
