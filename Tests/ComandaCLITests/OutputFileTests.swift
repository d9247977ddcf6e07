import ComandaTestRun
import Foundation
import Glibc
import Testing

@testable import comanda

struct OutputFileTests {
  private static func mode(of path: String) throws -> mode_t {
    var status = stat()
    try #require(lstat(path, &status) == 0)
    return status.st_mode & 0o777
  }

  private static func text(of path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  private static func destination(_ path: String) throws -> OutputDestination {
    try OutputDestination(path, option: "--failures", besides: [])
  }

  @Test("takes its place complete, leaves nothing beside it, and is its owner's only", arguments: [true, false])
  func replaces(allowsNameless: Bool) throws {
    let directory = try TestRun.makeDirectory("output")
    let path = directory + "/failed.csv"
    let destination = try Self.destination(path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [], "looking creates nothing")
    let file = try OutputFile(destination, allowsNameless: allowsNameless)
    try file.write(Array("new\n".utf8))
    #expect(!FileManager.default.fileExists(atPath: path))
    try file.commit()
    #expect(try Self.text(of: path) == "new\n")
    #expect(try Self.mode(of: path) == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["failed.csv"])
  }

  @Test("that is given up leaves the old one as it was, and nothing beside it", arguments: [true, false])
  func givesUp(allowsNameless: Bool) throws {
    let directory = try TestRun.makeDirectory("output")
    let path = directory + "/failed.csv"
    try Data("old\n".utf8).write(to: URL(filePath: path))
    do {
      let file = try OutputFile(Self.destination(path), allowsNameless: allowsNameless)
      try file.write(Array("half".utf8))
      #expect(try Self.text(of: path) == "old\n")
    }
    #expect(try Self.text(of: path) == "old\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["failed.csv"])
  }

  @Test("keeps the permissions of the one that it replaces, and a link to it")
  func keepsLink() throws {
    let directory = try TestRun.makeDirectory("output")
    try FileManager.default.createDirectory(atPath: directory + "/real", withIntermediateDirectories: false)
    let target = directory + "/real/failed.csv"
    try Data("old\n".utf8).write(to: URL(filePath: target))
    #expect(chmod(target, 0o640) == 0)
    let link = directory + "/link.csv"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "real/failed.csv")
    let file = try OutputFile(Self.destination(link))
    try file.write(Array("new\n".utf8))
    try file.commit()
    #expect(try Self.text(of: target) == "new\n")
    #expect(try Self.mode(of: target) == 0o640)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "real/failed.csv")
  }

  @Test("a link that leads nowhere yet says where the file is to be")
  func followsDanglingLink() throws {
    let directory = try TestRun.makeDirectory("output")
    try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: "other")
    try FileManager.default.createSymbolicLink(atPath: directory + "/other", withDestinationPath: "failed.csv")
    let destination = try Self.destination(directory + "/link")
    #expect(destination.target == .file(path: directory + "/failed.csv", mode: 0o600))
    try FileManager.default.createSymbolicLink(atPath: directory + "/failed.csv", withDestinationPath: "link")
    let error = try #require(throws: CommandFailure.self) { try Self.destination(directory + "/link") }
    #expect(error.message.contains("Too many levels of symbolic links"))
  }

  @Test(
    "a path that cannot be a file is refused before anything is done",
    arguments: [
      ("", "No such file"), ("/", "Is a directory"), ("/tmp", "Is a directory"), ("/no/such/file", "No such file"),
      ("/dev/null/file", "Not a directory"), ("/tmp/no-such-directory/", "Is a directory"),
    ])
  func refuses(path: String, reason: String) throws {
    let error = try #require(throws: CommandFailure.self) { try Self.destination(path) }
    #expect(error.message.contains(reason), "\(error.message)")
    #expect(error.message.hasPrefix("--failures \(path) cannot be written"))
  }

  @Test("a device is written to as it is")
  func streams() throws {
    let destination = try Self.destination("/dev/full")
    #expect(destination.target == .stream)
    let file = try OutputFile(destination)
    #expect { try file.write([1]) } throws: { ($0 as? SystemError)?.code == ENOSPC }
    let pipe = try TestRun.makeDirectory("output") + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let unread = try Self.destination(pipe)
    #expect { try OutputFile(unread) } throws: { ($0 as? SystemError)?.code == ENXIO }
  }
}
