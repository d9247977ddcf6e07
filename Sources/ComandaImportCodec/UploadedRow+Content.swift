import CImportRows
import ComandaDomain

extension UploadedRow {
  /// The order, or why there is none. Built anew each time it is asked for.
  public var content: Content {
    if fault.pointee.kind != COMANDA_ROW_OK {
      return .unreadable(externalID: externalID, problems: [problem(of: fault.pointee)])
    }
    switch row.pointee.content_case {
    case COMANDA__V1__IMPORT_ROW__CONTENT_ORDER:
      if let order = row.pointee.order { return .order(.copy(of: order)) }
    case COMANDA__V1__IMPORT_ROW__CONTENT_UNREADABLE:
      if let unreadable = row.pointee.unreadable {
        return .unreadable(externalID: externalID, problems: problems(of: unreadable.pointee))
      }
    default:
      break
    }
    let problem = RowProblem(
      field: "", code: "MISSING", message: "the row holds neither an order nor a problem; send one of them",
      line: firstLine)
    return .unreadable(externalID: "", problems: [problem])
  }

  private var firstLine: Int64? { line(ofField: "") }

  /// What the row is known by, as far as it can be read at all.
  private var externalID: String {
    guard fault.pointee.kind == COMANDA_ROW_OK || path(of: fault.pointee) != "external_id" else { return "" }
    let field: UnsafePointer<CChar>? =
      switch row.pointee.content_case {
      case COMANDA__V1__IMPORT_ROW__CONTENT_ORDER: UnsafePointer(row.pointee.order?.pointee.external_id)
      case COMANDA__V1__IMPORT_ROW__CONTENT_UNREADABLE: UnsafePointer(row.pointee.unreadable?.pointee.external_id)
      default: nil
      }
    return StagedRow.knownID(String(field: field))
  }

  private func problems(of unreadable: Comanda__V1__UnreadableRow) -> [RowProblem] {
    // bounded: by n_problems, a count of elements in memory
    let problems = (0..<unreadable.n_problems).compactMap { unreadable.problems[$0] }.map { RowProblem($0.pointee) }
    guard problems.isEmpty else { return problems }
    let unexplained = RowProblem(
      field: "", code: "UNREADABLE", message: "the sender could not read the row and does not say why", line: firstLine)
    return [unexplained]
  }

  private func problem(of fault: RowFault) -> RowProblem {
    let field = path(of: fault)
    let line = line(ofField: field)
    switch fault.kind {
    case COMANDA_ROW_NUL:
      return RowProblem(FieldViolation(field: field, problem: .controlCharacter(scalar: 0)), line: line)
    case COMANDA_ROW_ELEMENTS:
      let excess = FieldViolation.Problem.tooMany(count: Int(fault.count), limit: Int(fault.limit))
      return RowProblem(FieldViolation(field: field, problem: excess), line: line)
    default:
      return RowProblem(
        field: field, code: "INVALID_UTF8", message: "\(field) is not valid UTF-8; save the file as UTF-8", line: line)
    }
  }

  private func path(of fault: RowFault) -> String {
    withUnsafeBytes(of: fault.path) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}

extension RowProblem {
  fileprivate init(_ problem: Comanda__V1__RowProblem) {
    let code = String(field: problem.code)
    self.init(
      field: String(field: problem.field).cut(to: ImportLimits.problemFieldLength).withoutControlCharacters,
      code: Self.isCode(code) ? code : "UNREADABLE",
      message: String(field: problem.message).cut(to: ImportLimits.problemMessageLength).withoutControlCharacters,
      line: problem.line > 0 ? problem.line : nil)
  }

  /// Whether a text is a constant that programs may rely on.
  private static func isCode(_ text: String) -> Bool {
    let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    return text.utf8.count <= ImportLimits.problemCodeLength && text.utf8.first.map(letters.contains) == true
      && text.utf8.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_") }
  }
}

extension String {
  /// The text of a field. protobuf-c ends texts with NUL and the check let none through that contain one.
  init(field: UnsafePointer<CChar>?) {
    guard let field, field.pointee != 0 else {
      self = ""
      return
    }
    self.init(cString: field)
  }

  fileprivate func cut(to scalars: Int) -> String {
    guard utf8.count > scalars else { return self }
    return String(unicodeScalars.prefix(scalars))
  }
}
