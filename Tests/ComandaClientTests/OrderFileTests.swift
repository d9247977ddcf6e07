import ComandaImportFiles
import Testing

@testable import ComandaClient

struct OrderFileTests {
  private static func sample(_ count: Int) throws -> [UInt8] {
    var orders = try #require(SampleOrders(count: count))
    var bytes: [UInt8] = []
    while orders.write(into: &bytes, atMost: .max) {}
    return bytes
  }

  @Test("a file that was only touched, or copied to its own place, is the same file")
  func recognises() throws {
    let file = try TemporaryFile(Self.sample(3))
    let order = OrderFile(path: file.path)
    let facts = try order.inspect()
    try file.write(Self.sample(3))
    #expect(try order.open(as: facts).change == nil)
    try file.write(Self.sample(4))
    let change = try order.open(as: facts).change
    #expect(change == .grew(from: facts.stamp.size, to: try Self.sample(4).count))
  }

  @Test("the rows of a short file are counted")
  func counts() throws {
    let file = try TemporaryFile(Self.sample(100))
    #expect(try OrderFile(path: file.path).inspect().expectedRows == 100)
  }

  @Test("the rows of a long file are estimated from its beginning, to a few percent")
  func estimates() throws {
    let file = try TemporaryFile(Self.sample(3000))
    let rows = try OrderFile(path: file.path).inspect().expectedRows
    #expect((2850...3150).contains(rows))
  }

  @Test("the interpretation's hash changes with the columns, not with the content")
  func interprets() throws {
    let first = try TemporaryFile("external_id,item_name,item_total\nA,Tea,300\n")
    let second = try TemporaryFile("external_id,item_name,item_total\nB,Milk,200\n")
    let third = try TemporaryFile("external_id,item_total,item_name\nA,300,Tea\n")
    let facts = try [first, second, third].map { try OrderFile(path: $0.path).inspect() }
    #expect(facts[0].interpretation == facts[1].interpretation)
    #expect(facts[0].interpretation != facts[2].interpretation)
    #expect(facts[0].digest != facts[1].digest)
  }

  @Test("columns that are not imported are named, a recipient's too")
  func namesUnusedColumns() throws {
    let file = try TemporaryFile("external_id,colour,item_name,item_total,notification_recipient\nA,red,Tea,300,x\n")
    #expect(try OrderFile(path: file.path).inspect().unusedColumns == ["colour", "notification_recipient"])
  }

  @Test("a first look at a file that is one long line can be cancelled")
  func cancels() async throws {
    let file = try TemporaryFile(
      Array("external_id,item_name,item_total\n".utf8) + Array(repeating: 0x78, count: 2 << 20))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      var reader = try OrderFile.Reader(source: FileByteSource(path: file.path))
      _ = try reader.next()
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("what cannot be read again is refused")
  func refusesPipes() {
    #expect { try OrderFile(path: "/dev/null").inspect() } throws: { "\($0)".contains("not a regular file") }
  }
}
