extension [HeaderField] {
  /// Why these fields cannot travel together, and what would be right; nil when they can.
  public var problem: String? {
    if isEmpty { return nil }
    if count > Limits.metadataFields {
      return "a call has at most \(Limits.metadataFields) metadata fields; these are \(count)"
    }
    if let field = first(where: { !HeaderField.isKey($0.key) }) {
      return "a metadata key has 1 to 255 of the characters a-z 0-9 - _ . and this one is '\(field.key.prefix(40))'"
    }
    let bytes = FrameEncoder.fieldsSize(self)
    if bytes > Limits.metadataBytes {
      return "a call's metadata has at most \(Limits.metadataBytes) bytes; this has \(bytes)"
    }
    return nil
  }
}
