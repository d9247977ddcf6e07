import ComandaCodeGen
import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// What the plugin answers to protoc, run in this process.
struct Generation {
  /// The texts by file name.
  let files: [String: String]
  /// The error that protoc would print; nil when there is none.
  let error: String?

  /// Generates from schemas in folders.
  init(_ files: [String], in folders: [URL], parameter: String = "") throws {
    let plugin = ComandaPlugin()
    var request = Google_Protobuf_Compiler_CodeGeneratorRequest()
    request.fileToGenerate = files
    request.parameter = parameter
    request.protoFile = try Self.compile(files, in: folders, options: plugin.customOptionExtensions).file
    let response = generateCode(request: request, generator: plugin)
    self.files = Dictionary(uniqueKeysWithValues: response.file.map { ($0.name, $0.content) })
    error = response.hasError ? response.error : nil
  }

  /// Generates from the text of one schema, `schema.proto`.
  init(schema: String, parameter: String = "") throws {
    self = try withTemporaryFolder { folder in
      try folder.write(schema, to: "schema.proto")
      return try Generation(["schema.proto"], in: [folder, Place.schemas], parameter: parameter)
    }
  }

  /// What protoc makes of schemas, and of all that they import.
  static func compile(
    _ files: [String],
    in folders: [URL],
    options: [any AnyMessageExtension]
  ) throws -> Google_Protobuf_FileDescriptorSet {
    let command = try Command(
      "protoc",
      folders.map { "--proto_path=\($0.path())" } + files
        + ["--descriptor_set_out=/dev/stdout", "--include_imports", "--include_source_info"])
    guard command.exitCode == 0 else { throw Failure(description: command.errors) }
    var extensions = SimpleExtensionMap()
    extensions.insert(contentsOf: options)
    return try Google_Protobuf_FileDescriptorSet(serializedBytes: command.output, extensions: extensions)
  }

  /// protoc refused the schema.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }
}
