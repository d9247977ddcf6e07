import ArgumentParser
import ComandaImportFiles
import ComandaProtos
import SwiftProtobuf

/// A value of the schema that is named on the command line.
struct Named<Value: SchemaNamed>: ExpressibleByArgument {
  let value: Value

  init?(argument: String) {
    guard let value = Value(schemaName: argument) else { return nil }
    self.value = value
  }

  static var allValueStrings: [String] {
    Value.namedValues.map { $0.name.lowercased() }
  }
}

/// A moment that is named on the command line: RFC 3339, or a date and time in UTC.
struct Moment: ExpressibleByArgument {
  let timestamp: Google_Protobuf_Timestamp

  init?(argument: String) {
    guard let microseconds = try? TimeParser.parse(Array(argument.utf8).span) else { return nil }
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    timestamp =
      rest < 0
      ? Google_Protobuf_Timestamp(seconds: seconds - 1, nanos: Int32(rest + 1_000_000) * 1000)
      : Google_Protobuf_Timestamp(seconds: seconds, nanos: Int32(rest) * 1000)
  }
}

/// A currency that is named on the command line.
struct CurrencyArgument: ExpressibleByArgument {
  let unit: CurrencyUnit

  init(_ unit: CurrencyUnit) {
    self.unit = unit
  }

  init?(argument: String) {
    guard let unit = CurrencyUnit(code: argument) else { return nil }
    self.unit = unit
  }

  var defaultValueDescription: String { unit.code }
}

extension Dialect.Delimiter: ExpressibleByArgument {}
extension NumberFormat: ExpressibleByArgument {}
