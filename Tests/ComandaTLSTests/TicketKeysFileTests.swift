import Foundation
import NIOCore
import Testing

@testable import ComandaTLS

@Suite("Ticket keys in a file")
struct TicketKeysFileTests {
  private let folder: TemporaryFolder
  private var file: String { folder.path + "/ticket.keys" }

  init() throws {
    folder = try TemporaryFolder()
  }

  /// A key as `openssl rand -hex 80` writes it, of one digit.
  private static func key(_ digit: Character) -> String {
    String(repeating: digit, count: 160)
  }

  private func write(_ text: String, mode: Int = 0o600) throws {
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
  }

  private func names(_ keys: TicketKeys) -> [Bool] {
    ["a", "b", "c"].map { digit in
      let name = [UInt8](repeating: UInt8(digit + digit, radix: 16) ?? 0, count: 16)
      return name.withUnsafeBufferPointer { keys.key(named: $0) } != nil
    }
  }

  @Test("keys are read newest first; comments, blank lines and line ends of Windows do not matter")
  func reading() throws {
    try write("# rotated on Monday\r\n\(Self.key("a"))\r\n\n\(Self.key("b"))\n")
    let keys = try TicketKeys(file: file)
    #expect(names(keys) == [true, true, false])
    #expect(keys.newest?.name.first == 0xaa)
  }

  @Test("a file read anew replaces all keys; one that cannot be used replaces none")
  func rereading() throws {
    try write(Self.key("a"))
    let keys = try TicketKeys(file: file)
    try write("\(Self.key("c"))\n\(Self.key("a"))\n")
    try keys.reread()
    #expect(names(keys) == [true, false, true])
    #expect(keys.newest?.name.first == 0xcc)
    try write("")
    #expect(throws: TLSError.self) { try keys.reread() }
    #expect(names(keys) == [true, false, true])
    try write(Self.key("b"))
    try keys.reread()
    #expect(names(keys) == [false, true, false])
  }

  @Test(
    "a file that holds no keys is refused by its line, which is not shown",
    arguments: [
      ("", "0 keys"), ("# nothing\n", "0 keys"), ("abc", "line 1"), ("\n\(key("g"))", "line 2"),
      (key("a") + "a", "line 1"), (key("a").dropLast() + "é", "line 1"), ("\(key("a"))\n\(key("a"))", "line 2"),
      ((0..<17).map { key(Character(String($0 % 16, radix: 16))) + "\n" }.joined(), "line 17"),
    ])
  func refused(text: String, problem: String) throws {
    try write(text)
    let error = #expect(throws: TLSError.self) { try TicketKeys(file: file) }
    #expect(error?.description.contains(problem) == true)
    #expect(error?.description.contains(file) == true)
    #expect(error?.description.contains("aaaa") == false)
  }

  @Test("a file that every user may read is refused; one that a group may read is not")
  func permissions() throws {
    try write(Self.key("a"), mode: 0o644)
    let error = #expect(throws: TLSError.self) { try TicketKeys(file: file) }
    #expect(error?.description.contains("chmod 600") == true)
    try write(Self.key("a"), mode: 0o640)
    _ = try TicketKeys(file: file)
    #expect(throws: TLSError.self) { try TicketKeys(file: file + ".missing") }
  }
}
