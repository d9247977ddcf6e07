import ComandaImportFiles
import ComandaProtos
import FoundationEssentials

/// A JSON file with one order.
enum OrderDocument {
  /// An order of 500 items fits many times.
  private static let sizeLimit = 4 * 1024 * 1024

  /// The order to create that a file describes; `-` is stdin.
  static func draft(path: String) throws -> Comanda_V1_OrderDraft {
    let content = try content(of: path == "-" ? "/dev/stdin" : path)
    do {
      return try JSONDecoder().decode(OrderJSON.self, from: content).draft()
    } catch let error as DecodingError {
      // At no place in particular: it is the whole of it.
      if case .dataCorrupted(let context) = error, context.codingPath.isEmpty {
        throw CommandFailure(
          "\(path) is not valid JSON; it must look like what `comanda orders get --json` prints", status: .usage)
      }
      throw CommandFailure("\(path) is no order: \(explanation(of: error))", status: .usage)
    }
  }

  private static func content(of path: String) throws -> Data {
    let file = try FileByteSource(path: path)
    var content = Data()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
    defer { buffer.deallocate() }
    while case let count = try file.read(into: buffer), count > 0 {
      content.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      guard content.count <= sizeLimit else {
        throw CommandFailure("\(path) has more than \(sizeLimit >> 20) MiB; an order is smaller", status: .usage)
      }
    }
    return content
  }

  private static func explanation(of error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
    case .valueNotFound(_, let context): "\(place(context.codingPath)) is null"
    case .typeMismatch(let type, let context):
      "\(place(context.codingPath)) is not \(type == Int64.self ? "a whole number" : "of the right kind")"
    case .dataCorrupted(let context):
      "\(place(context.codingPath)): \(context.debugDescription)"
    @unknown default: "it cannot be read"
    }
  }

  /// `items[2].total_minor`
  private static func place(_ path: [any CodingKey]) -> String {
    let text = path.reduce(into: "") { text, key in
      if let index = key.intValue {
        text += "[\(index)]"
      } else {
        text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
    return text.isEmpty ? "the document" : text
  }
}
