/// Recognises files that are not delimited UTF-8 text by their first bytes.
enum FileSignature {
  private static let saveAsCSV = "save it as \"CSV UTF-8\" in your spreadsheet program"

  static func check(_ head: Span<UInt8>) throws(OrderFileError) {
    func begins(with signature: [UInt8]) -> Bool {
      head.count >= signature.count && signature.indices.allSatisfy { head[$0] == signature[$0] }
    }
    if begins(with: [0x50, 0x4B, 0x03, 0x04]) {
      throw .unsupported(format: "an Excel workbook or another ZIP archive", advice: saveAsCSV)
    }
    if begins(with: [0xD0, 0xCF, 0x11, 0xE0]) {
      throw .unsupported(format: "an old Excel workbook", advice: saveAsCSV)
    }
    if begins(with: [0x1F, 0x8B]) {
      throw .unsupported(format: "compressed by gzip", advice: "decompress it first")
    }
    if begins(with: [0xFF, 0xFE]) || begins(with: [0xFE, 0xFF]) || hasNUL(head) {
      throw .unsupported(format: "UTF-16 or binary", advice: saveAsCSV)
    }
  }

  private static func hasNUL(_ head: Span<UInt8>) -> Bool {
    // ASCII in UTF-16 has one at every other place; further on it may be one line's fault.
    head.indices.prefix(4).contains { head[$0] == 0 }
  }
}
