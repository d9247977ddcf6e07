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

  init(_ parameter: any CodeGeneratorParameter) throws {
    for (name, value) in parameter.parsedPairs {
      switch name {
      case "FileNaming": fileNaming = try Self.choice(name, value)
      case "Visibility": visibility = try Self.choice(name, value)
      case "RawRequests": rawRequests.formUnion(value.split(separator: ";").map(String.init))
      default:
        throw SchemaError("the parameter \(name) is unknown; there are FileNaming, Visibility and RawRequests")
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
