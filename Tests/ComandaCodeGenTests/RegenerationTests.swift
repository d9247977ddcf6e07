import Foundation
import Testing

@Suite("deploy/generate")
struct RegenerationTests {
  private func generate(in root: URL, _ arguments: String...) throws -> Command {
    try Command(
      root.appending(path: "deploy/generate").path(), arguments + ["--plugins", Place.plugins().path()])
  }

  @Test("what is committed is what the schemas generate")
  func committedFiles() throws {
    let command = try generate(in: Place.root, "--check")
    #expect(command.exitCode == 0, "\(command.errors)\(String(decoding: command.output, as: UTF8.self))")
  }

  @Test("a changed, a missing and a superfluous file are found by --check and mended without it")
  func mending() throws {
    try withTemporaryFolder { copy in
      for path in ["deploy/generate", "proto", "Tests/ComandaCodeGenTests/Golden/proto"] {
        let target = copy.appending(path: path)
        try FileManager.default.createDirectory(
          at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: Place.root.appending(path: path), to: target)
      }
      let generated = "Sources/ComandaProtos/Generated"
      let changed = "\(generated)/order_service.comanda.swift"
      let superfluous = "\(generated)/gone.pb.swift"
      let missing = "\(generated)/order.pb.swift"
      try copy.write("// Changed.\n", to: changed)
      try copy.write("// Its schema is gone.\n", to: superfluous)

      let check = try generate(in: copy, "--check")
      #expect(check.exitCode == 1)
      let output = String(decoding: check.output, as: UTF8.self)
      for path in [changed, superfluous, missing] {
        #expect(output.contains("--- committed \(path)\n+++ generated \(path)\n"))
      }

      #expect(try generate(in: copy).exitCode == 0)
      #expect(try generate(in: copy, "--check").exitCode == 0)
      #expect(!FileManager.default.fileExists(atPath: copy.appending(path: superfluous).path()))
      for path in [changed, missing] {
        #expect(
          FileManager.default.contentsEqual(
            atPath: copy.appending(path: path).path(), andPath: Place.root.appending(path: path).path()))
      }
    }
  }

  @Test("protoc prints the generator's error and fails")
  func error() throws {
    let command = try Command(
      "protoc",
      [
        "--proto_path=\(Place.goldenSchemas.path())", "bare.proto",
        "--plugin=\(try Place.plugins().appending(path: "protoc-gen-comanda").path())",
        "--comanda_out=Visiblity=Public:\(FileManager.default.temporaryDirectory.path())",
      ])
    #expect(command.exitCode == 1)
    #expect(command.errors.contains("the parameter Visiblity is unknown"))
  }
}
