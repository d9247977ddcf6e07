import SwiftProtobufPluginLibrary

/// What protoc was told with `--comanda_opt`: pairs `Name=Value`, separated by commas.
struct PluginParameters {
  /// Where a generated file goes, relative to the output folder; named as SwiftProtobuf's own plugin names it.
  enum FileNaming: String, CaseIterable {
    case fullPath = "FullPath"
    case pathToUnderscores = "PathToUnderscores"
    case dropPath = "DropPath"
  }

  /// Who sees the generated declarations.
  enum Visibility: String, CaseIterable {
    case `internal` = "Internal"
    case package = "Package"
    case `public` = "Public"
  }

  /// `FileNaming=FullPath|PathToUnderscores|DropPath`
  private(set) var fileNaming = FileNaming.fullPath
  /// `Visibility=Internal|Package|Public`
  private(set) var visibility = Visibility.internal
  /// `RawRequests=METHOD[;METHOD…]`, may occur again: methods whose server gets its requests as bytes, named
  /// `package.Service.Method`.
  private(set) var rawRequests: Set<String> = []
  /// `Bounds=SERVICE[;SERVICE…]`, may occur again: services, by their full names, whose requests get the bounds that the
  /// schema states. All their fields then have to have one.
  private(set) var boundedServices: Set<String> = []
  /// `BoundedElsewhere=FILE[;FILE…]`, may occur again: files, as `import` spells them, that state no bounds, since their
  /// messages are validated by themselves. Paths of violations start at such a message.
  private(set) var filesBoundedElsewhere: Set<String> = []
  /// `MaxCount=FIELD:COUNT[;FIELD:COUNT…]`, may occur again: what the lists of those files may have.
  private(set) var maxCounts: [String: Int] = [:]

  init(_ parameter: any CodeGeneratorParameter) throws {
    for (name, value) in parameter.parsedPairs {
      switch name {
      case "FileNaming": fileNaming = try Self.choice(name, value)
      case "Visibility": visibility = try Self.choice(name, value)
      case "RawRequests": rawRequests.formUnion(value.split(separator: ";").map(String.init))
      case "Bounds": boundedServices.formUnion(value.split(separator: ";").map(String.init))
      case "BoundedElsewhere": filesBoundedElsewhere.formUnion(value.split(separator: ";").map(String.init))
      case "MaxCount":
        for entry in value.split(separator: ";") {
          let parts = entry.split(separator: ":").map(String.init)
          guard parts.count == 2, let count = Int(parts[1]), count > 0 else {
            throw SchemaError("MaxCount takes FIELD:COUNT, like shop.v1.Bill.lines:500, not \"\(entry)\"")
          }
          maxCounts[parts[0]] = count
        }
      default:
        throw SchemaError(
          "the parameter \(name) is unknown; there are FileNaming, Visibility, RawRequests, Bounds, BoundedElsewhere "
            + "and MaxCount")
      }
    }
  }

  private static func choice<Choice>(_ name: String, _ value: String) throws -> Choice
  where Choice: RawRepresentable<String> & CaseIterable {
    guard let choice = Choice(rawValue: value) else {
      let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw SchemaError("the parameter \(name) has no value \"\(value)\"; it takes one of \(choices)")
    }
    return choice
  }

  /// Fails when `RawRequests` names a method that no file has: a typo would otherwise go unnoticed.
  func checkRawRequests(against files: [FileModel]) throws {
    let methods = files.flatMap(\.services).flatMap(\.methods).map(\.fullName)
    guard let unknown = rawRequests.subtracting(methods).min() else { return }
    let known = methods.isEmpty ? "there is none" : "there are \(methods.joined(separator: ", "))"
    throw SchemaError("RawRequests names the method \(unknown), which no file to generate has; \(known)")
  }

  /// Fails when `Bounds` names a service that no file has.
  func checkBoundedServices(against files: [FileModel]) throws {
    let services = files.flatMap(\.services).map(\.fullName)
    guard let unknown = boundedServices.subtracting(services).min() else { return }
    let known = services.isEmpty ? "there is none" : "there are \(services.joined(separator: ", "))"
    throw SchemaError("Bounds names the service \(unknown), which no file to generate has; \(known)")
  }

  /// The path of the file generated from a `.proto` file.
  func outputPath(for protoPath: String, suffix: String) -> String {
    let stem = protoPath.hasSuffix(".proto") ? protoPath.dropLast(".proto".count) : protoPath[...]
    return switch fileNaming {
    case .fullPath: stem + suffix
    case .pathToUnderscores: stem.split(separator: "/").joined(separator: "_") + suffix
    case .dropPath: (stem.split(separator: "/").last ?? stem) + suffix
    }
  }
}
