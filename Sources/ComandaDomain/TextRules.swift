/// What is wrong with a text: longer than `limit` Unicode scalars, or with a control character in it.
func textProblems(_ text: String, limit: Int) -> [FieldViolation.Problem] {
  guard !text.isEmpty else { return [] }
  var problems: [FieldViolation.Problem] = []
  // A text never has more scalars than bytes, so most texts need not be counted.
  if text.utf8.count > limit {
    let length = text.unicodeScalars.count
    if length > limit { problems.append(.tooLong(length: length, limit: limit)) }
  }
  if let control = firstControlCharacter(in: text) {
    problems.append(.controlCharacter(scalar: UInt32(control)))  // bounded: a byte
  }
  return problems
}

/// The first C0 control or DEL that is neither tab nor line break. All are single bytes in UTF-8, and no other
/// character's encoding holds such bytes. NUL is among them: PostgreSQL takes none in a text.
private func firstControlCharacter(in text: String) -> UInt8? {
  var text = text
  return text.withUTF8 { bytes in
    bytes.first { $0 < 0x20 ? $0 != 0x09 && $0 != 0x0A && $0 != 0x0D : $0 == 0x7F }
  }
}
