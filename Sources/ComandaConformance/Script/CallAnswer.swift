import Foundation

/// What a call ended with.
struct CallAnswer: Sendable {
  var code: UInt64 = 0
  var message = ""
  var details = Data()
  var responses: [Data] = []
  /// Pairs of key and value.
  var metadata: JSONValue = []
  var trailers: JSONValue = []
  var isRejected = false
}

extension CallAnswer {
  /// Reads what a client under test reported.
  init(_ json: JSONValue) throws(CaseError) {
    var fields = try JSONFields(json, of: "a call of the answer")
    guard let code = try fields.number("code") else { throw CaseError("a call of the answer has no \"code\"") }
    self.code = code
    message = try fields.text("message") ?? ""
    details = try fields.take("details").map { json throws(CaseError) in try Data(base64: json) } ?? Data()
    responses = try (fields.array("responses") ?? []).map { json throws(CaseError) in try Data(base64: json) }
    metadata = fields.take("metadata") ?? []
    trailers = fields.take("trailers") ?? []
    isRejected = try fields.flag("rejected") ?? false
  }
}

extension Data {
  init(base64 json: JSONValue) throws(CaseError) {
    guard let text = json.text, let bytes = Data(base64Encoded: text) else {
      throw CaseError("bytes of an answer are base64, with padding; this is \(json)")
    }
    self = bytes
  }
}
