import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// The protoc plugin: for each file, the descriptors, server protocols and clients of its services.
///
/// protoc starts it as `protoc-gen-comanda`, for `--comanda_out`. Messages are not its business: SwiftProtobuf's own
/// plugin writes them, into the same module.
public struct ComandaPlugin: CodeGenerator {
  /// The plugin.
  public init() {}

  /// Files with proto3 `optional` fields are accepted; services do not care.
  public var supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] {
    [.proto3Optional]
  }

  /// The options of `comanda/v1/options.proto`.
  public var customOptionExtensions: [any AnyMessageExtension] {
    MethodOptions.extensions
  }

  /// Writes one `.comanda.swift` file for each file that has something to say of calls.
  /// - Throws: `SchemaError` on parameters that do not exist and on schemas that cannot be written in Swift.
  public func generate(
    files: [FileDescriptor],
    parameter: any CodeGeneratorParameter,
    protoCompilerContext: any ProtoCompilerContext,
    generatorOutputs: any GeneratorOutputs
  ) throws {
    let parameters = try PluginParameters(parameter)
    let models = try FileModel.models(of: files)
    try parameters.checkRawRequests(against: models)
    try parameters.checkBoundedServices(against: models)

    let bounds = try RequestBounds(of: models, parameters)
    let renderer = SwiftRenderer(parameters, bounds)
    for model in models where model.hasContent(with: bounds) {
      try generatorOutputs.add(
        fileName: parameters.outputPath(for: model.path, suffix: ".comanda.swift"),
        contents: renderer.render(model))
    }
  }
}
