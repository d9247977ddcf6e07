import Foundation
import Testing

/// Each schema in `Golden/proto` has one oddity; what is generated from it is committed in `Golden/swift`, and compiled
/// into this target. `deploy/generate` brings it up to date: look at the difference before you commit it.
@Suite("Golden cases")
struct GoldenTests {
  private static let names =
    (FileManager.default.subpaths(atPath: Place.goldenSchemas.path()) ?? []).filter { $0.hasSuffix(".proto") }.sorted()
  private static let generation = Result { try generate(names) }

  private static func generate(_ names: [String]) throws -> Generation {
    try Generation(
      names, in: [Place.goldenSchemas, Place.schemas],
      parameter: "RawRequests=golden.raw_requests.Raw.Upload;golden.raw_requests.Raw.Check,Bounds=golden.bounds.Till")
  }

  @Test("a schema generates its golden file, and one without calls none", arguments: names)
  func golden(schema: String) throws {
    let name = schema.replacing(".proto", with: ".comanda.swift")
    let generation = try Self.generation.get()
    #expect(generation.error == nil)
    let golden = try? String(contentsOf: Place.goldenSwift.appending(path: name), encoding: .utf8)
    #expect(firstDifference(generation.files[name], golden) == nil, "deploy/generate would rewrite it")
  }

  @Test("only no_calls.proto generates nothing")
  func silentSchemas() throws {
    let generated = try Self.generation.get().files.keys.map { $0.replacing(".comanda.swift", with: ".proto") }
    #expect(Set(Self.names).subtracting(generated) == ["no_calls.proto"])
  }

  @Test("the order in which protoc is given the files changes nothing")
  func order() throws {
    #expect(try Self.generate(Self.names.reversed()).files == Self.generation.get().files)
  }

  @Test("no generated line is longer than 120 columns, but for words that cannot be broken")
  func lineLength() throws {
    let long = try Self.generation.get().files.values
      .flatMap { $0.split(separator: "\n") }
      .filter { $0.count > 120 && !$0.contains("AWordThatIsLongerThanAnyLine") }
    #expect(long == [])
  }

  /// The first line in which two texts differ, with both readings.
  private func firstDifference(_ generated: String?, _ golden: String?) -> String? {
    guard let generated, let golden else {
      return generated == golden ? nil : "\(generated == nil ? "nothing generated" : "no golden file")"
    }
    let lines = (generated.components(separatedBy: "\n"), golden.components(separatedBy: "\n"))
    let common = zip(lines.0, lines.1).prefix { $0 == $1 }.count
    guard common < max(lines.0.count, lines.1.count) else { return nil }
    let reading = { (lines: [String]) in common < lines.count ? lines[common] : "the end" }
    return "line \(common + 1): generated \"\(reading(lines.0))\", golden \"\(reading(lines.1))\""
  }
}
