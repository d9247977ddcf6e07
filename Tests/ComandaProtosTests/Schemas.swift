import ComandaProtos
import ComandaTestRun
import Foundation
import SwiftProtobuf

/// The schemas as they are in `proto/`, and as protoc understands them.
struct Schemas {
  /// The folder `proto`.
  static let folder = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(path: "proto")

  /// The schemas' paths, relative to ``folder``.
  let paths: [String]
  /// What protoc reads out of them, with comments.
  let files: [Google_Protobuf_FileDescriptorProto]

  init() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: "comanda/v1").path)
    let paths = names.filter { $0.hasSuffix(".proto") }.sorted().map { "comanda/v1/\($0)" }
    let set = try withTemporaryFolder { folder in
      let output = folder.appending(path: "descriptors")
      let options = ["-I", ".", "--include_source_info", "--descriptor_set_out=\(output.path)"]
      try run("protoc", options + paths, in: Self.folder)
      return try Data(contentsOf: output)
    }
    self.paths = paths
    files = try Google_Protobuf_FileDescriptorSet(serializedBytes: set, extensions: Comanda_V1_Options_Extensions).file
  }

  /// Every method with the name of its service.
  var methods: [(service: String, method: Google_Protobuf_MethodDescriptorProto)] {
    files.flatMap(\.service).flatMap { service in service.method.map { (service.name, $0) } }
  }

  /// The message of a name, `OrderDraft` or `.comanda.v1.OrderDraft`.
  func message(_ name: String) throws -> Google_Protobuf_DescriptorProto {
    let short = name.split(separator: ".").last.map { String($0) } ?? name
    guard let message = files.flatMap(\.messageType).first(where: { $0.name == short }) else {
      throw CommandFailure(description: "there is no message \(name)")
    }
    return message
  }
}

/// A program that failed, with what it printed.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
}

/// Runs a program of the search path in a folder; what it prints is the error's text when it fails.
@discardableResult
func run(_ program: String, _ arguments: [String], in folder: URL) throws -> String {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = [program] + arguments
  process.currentDirectoryURL = folder
  let output = Pipe()
  process.standardOutput = output
  process.standardError = output
  try process.run()
  let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw CommandFailure(description: "\(program): \(printed)") }
  return printed
}

/// Lends a folder that is gone afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  try TestRun.withDirectory("schemas") { try body(URL(filePath: $0, directoryHint: .isDirectory)) }
}
