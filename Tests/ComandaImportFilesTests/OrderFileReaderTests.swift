import ComandaImportFiles
import Foundation
import Testing

@Suite("Order file reader")
struct OrderFileReaderTests {
  @Test("consecutive lines of one id are one order, with their line numbers and bytes")
  func joining() throws {
    let all = try rows("order_id,item,qty,amount\n7,Tea,2,300\n7,Cake,1,450\n8,Tea,1,150\n")
    #expect(all.map(\.number) == [1, 2])
    #expect(all.map(\.externalID) == ["7", "8"])
    #expect(all.map(\.lineNumbers) == [[2, 3], [4]])
    #expect(all[0].lines.map(\.bytes) == [Array("7,Tea,2,300".utf8), Array("7,Cake,1,450".utf8)])
    let order = try #require(all[0].order)
    #expect(order.items.map(\.name) == ["Tea", "Cake"])
    #expect(order.items.map(\.quantity) == [2000, 1000])
    #expect(order.items.map(\.total) == [300, 450])
  }

  @Test("an id that comes again later is another row")
  func repeatedID() throws {
    let all = try rows("order_id,item,amount\n1,a,5\n2,b,5\n1,c,5\n")
    #expect(all.map(\.externalID) == ["1", "2", "1"])
    #expect(all.compactMap(\.order).count == 3)
  }

  @Test("all fields of an order are read")
  func allFields() throws {
    let header = ImportField.allCases.map(\.rawValue).joined(separator: ",")
    let line = """
      A-1,2026-11-21T10:15:30Z,佐藤 美咲,+81-90-1234-5678,misaki@example.com,Delivery,"東京都, 1-2",3.50,usd,23.50,27.00,\
      Credit Card,SMS,+81-90-0000-0000,"ring, twice",Pizza,P-1,1.5,13.00,19.50,no onions
      """
    let order = try #require(try rows("\(header)\n\(line)\n").first?.order)
    var expected = FileOrder()
    expected.externalID = "A-1"
    expected.placedAt = 1_795_256_130_000_000
    expected.customerName = "佐藤 美咲"
    expected.customerPhone = "+81-90-1234-5678"
    expected.customerEmail = "misaki@example.com"
    expected.fulfilment = .delivery
    expected.deliveryAddress = "東京都, 1-2"
    expected.deliveryFee = 350
    expected.currency = try #require(CurrencyUnit(code: "USD"))
    expected.subtotal = 2350
    expected.total = 2700
    expected.paymentMethod = .creditCard
    expected.notificationChannel = .sms
    expected.notificationRecipient = "+81-90-0000-0000"
    expected.note = "ring, twice"
    var item = FileItem()
    item.name = "Pizza"
    item.sku = "P-1"
    item.quantity = 1500
    item.unitPrice = 1300
    item.total = 1950
    item.note = "no onions"
    expected.items = [item]
    #expect(order == expected)
  }

  @Test("a field of the order is taken from the first line that has it")
  func firstNonEmpty() throws {
    let all = try rows("order_id,customer,note,item,amount\n1,,NULL,a,5\n1,Emma,hot,b,5\n1,Emma,,c,5\n")
    let order = try #require(all.first?.order)
    #expect(order.customerName == "Emma")
    #expect(order.note == "hot")
    #expect(order.items.map(\.note) == ["", "", ""])
  }

  @Test("lines of one order that disagree fail it, but other spellings of one value do not")
  func contradictions() throws {
    let all = try rows("order_id,customer,total,item,amount\n1,Emma,\"1,200\",a,5\n1,Liam,1200,b,5\n2,Emma,5,c,5\n")
    let error = try #require(all[0].errors.first)
    #expect(all[0].errors.count == 1)
    #expect(error.code == .contradiction)
    #expect(error.line == 3)
    #expect(error.column == "customer")
    #expect(error.message == "it differs from line 2; all lines of an order must agree")
    #expect(all[1].order != nil)
  }

  @Test("a currency that a later line brings does not change amounts that were read before")
  func lateCurrency() throws {
    let all = try rows("order_id,currency,item,amount\n1,,a,5\n1,USD,b,5\n2,,a,5\n2,JPY,b,5\n")
    #expect(all[0].errors.map(\.code) == [.contradiction])
    #expect(all[1].order?.currency == .yen)
  }

  @Test("one bad cell fails its order, and says where and what would be right")
  func badCells() throws {
    let all = try rows(
      """
      order_id,currency,item,qty,amount
      1,USD,a,1,5.00
      1,USD,b,two,abc
      2,XYZ,c,1,5.00
      3,USD,d,1,
      4,USD,e,1,5.00

      """)
    #expect(all.map { $0.errors.map(\.code) } == [[.notANumber, .notANumber], [.unknownCurrency], [.required], []])
    #expect(all.map { $0.errors.map(\.line) } == [[3, 3], [4], [5], []])
    #expect(all[0].errors.map(\.column) == ["qty", "amount"])
    #expect(all[0].lineNumbers == [2, 3])
    #expect(all[1].errors.first?.message == #""XYZ" is not a currency; write an ISO 4217 code such as JPY or USD"#)
    #expect(all[2].errors.first?.field == .itemTotal)
    #expect(all.map(\.externalID) == ["1", "2", "3", "4"])
  }

  @Test("without a line total, quantity times unit price counts if it is exact")
  func computedTotal() throws {
    let all = try rows("order_id,item,qty,price\n1,a,1.5,300\n2,b,0.125,100\n3,c,3,\n4,d,0,100\n5,e,9e9,1\n")
    #expect(all[0].order?.items.first?.total == 450)
    #expect(all[1].errors.map(\.code) == [.inexactTotal])
    #expect(all[2].errors.map(\.code) == [.required])
    #expect(all[3].order?.items.first?.quantity == 0)
    #expect(all[4].errors.map(\.code) == [.notANumber])
    let huge = try rows("order_id,item,qty,price\n1,a,9000000000000000,9000000000000000\n")
    #expect(huge[0].errors.map(\.code) == [.outOfRange])
  }

  @Test("a line with too many or too few cells fails its order if the id comes first")
  func wrongCellCount() throws {
    let all = try rows("order_id,item,amount\n1,a,5\n1,b, large,5\n2,c\n3,d,5\n")
    #expect(all.map { $0.errors.map(\.code) } == [[.wrongCellCount], [.wrongCellCount], []])
    #expect(all.map(\.externalID) == ["1", "2", "3"])
    #expect(
      all[0].errors.first?.message
        == "the line has 4 cells, the header 3; put a cell that holds the delimiter in double quotes, and leave no "
        + "cell out")
  }

  @Test("a line without a trustworthy id is a row of its own between orders, and part of an order inside of one")
  func strayLines() throws {
    let header = "item,order_id,amount\n"
    let between = try rows(header + "a,1,5\nb\nc,2,5\n,,\nd,,5\n")
    #expect(between.map(\.externalID) == ["1", nil, "2", nil])
    #expect(between.map(\.lineNumbers) == [[2], [3], [4], [6]])
    #expect(between.map { $0.errors.map(\.code) } == [[], [.wrongCellCount], [], [.required]])
    let inside = try rows(header + "a,1,5\nb\nc,,5\nd,1,5\ne,2,5\n")
    #expect(inside.map(\.externalID) == ["1", "2"])
    #expect(inside[0].lineNumbers == [2, 3, 4, 5])
    #expect(inside[0].errors.map(\.code) == [.wrongCellCount, .required])
    #expect(inside[1].order != nil)
    #expect(inside.map(\.number) == [1, 2])
  }

  @Test("a cell that is not UTF-8 fails its order, and the bytes are kept")
  func invalidUTF8() throws {
    let bytes = Array("order_id,item,amount\n1,a,5\n1,caf".utf8) + [0xE9] + Array(",5\n2,b,5\n".utf8)
    let all = try rows(bytes)
    #expect(all.map(\.externalID) == ["1", "2"])
    #expect(all[0].errors.first?.column == "item")
    #expect(
      all[0].errors.first?.message
        == "the text is not UTF-8 (byte E9 at position 6 of the line); save the file as UTF-8")
    #expect(all[0].lines.last?.bytes == Array("1,caf".utf8) + [0xE9] + Array(",5".utf8))
    let badID = try rows(Array("order_id,item,amount\n".utf8) + [0xFF] + Array(",a,5\n1,b,5\n".utf8))
    #expect(badID.map(\.externalID) == [nil, "1"])
    #expect(badID[0].errors.map(\.code) == [.invalidUTF8])
  }

  @Test("broken quoting, a NUL and a huge cell fail their orders, and the others load")
  func brokenLines() throws {
    let huge = String(repeating: "x", count: 300_000)
    let all = try rows(
      "order_id,item,amount\n1,a,5\n2,\"b,5\n3,\"c\"d,5\n4,e,5\n5,\(huge),5\n6,f\u{0},5\n7,g,5\n")
    #expect(all.map(\.externalID) == ["1", "2", "3", "4", "5", "6", "7"])
    #expect(
      all.map { $0.errors.map(\.code) } == [[], [.brokenQuoting], [.brokenQuoting], [], [.tooLarge], [.nulByte], []])
    #expect(all.map { $0.errors.first?.column } == [nil, "item", "item", nil, "item", "item", nil])
    #expect(all[4].lines.map(\.isCut) == [true])
    #expect(all[4].errors.first?.message.contains("300004 bytes") == true)
  }

  @Test("an order of more than 500 lines fails, and its row stays small")
  func tooManyItems() throws {
    let lines = (0..<1200).map { "1,item \($0),5\n" }.joined()
    let all = try rows("order_id,item,amount\n" + lines + "2,x,5\n")
    #expect(all.map(\.externalID) == ["1", "2"])
    #expect(all[0].errors.map(\.code) == [.tooManyItems])
    #expect(all[0].errors.first?.line == 502)
    #expect(all[0].lines.count == 500)
  }

  @Test("an order of too many bytes fails, and its row stays small")
  func tooManyBytes() throws {
    let limits = RowLimits()
    let note = String(repeating: "n", count: 3000)
    let lines = (0..<60).map { "1,item \($0),5,\(note)\n" }.joined()
    let all = try rows("order_id,item,amount,item_note\n" + lines + "2,x,5,\n")
    #expect(all.map { $0.errors.map(\.code) } == [[.tooLarge], []])
    #expect(all[0].lines.reduce(0) { $0 + $1.bytes.count } == limits.sourceBytes)
    let single = try rows("order_id,item,amount,note\n1,x,5,\(String(repeating: "n", count: 200_000))\n")
    #expect(single[0].errors.map(\.code) == [.tooLarge])
    #expect(single[0].lines.map(\.isCut) == [true])
  }

  @Test("lines that repeat long values of the order do not fail it, but are cut")
  func longLines() throws {
    let note = String(repeating: "n", count: 1000)
    let lines = (0..<200).map { "1,item \($0),5,\(note)\n" }.joined()
    let row = try #require(try rows("order_id,item,amount,note\n" + lines).first)
    #expect(row.order?.items.count == 200)
    #expect(row.lines.count == 200)
    #expect(row.lines.reduce(0) { $0 + $1.bytes.count } == RowLimits().sourceBytes)
    #expect(row.lines.map(\.isCut) == row.lines.map { $0.bytes.count < 1007 })
  }

  @Test("a row lists 20 errors at most")
  func manyErrors() throws {
    let lines = (0..<100).map { _ in "1,x,abc\n" }.joined()
    #expect(try rows("order_id,item,amount\n" + lines)[0].errors.count == 20)
  }

  @Test("blank lines and rows of delimiters are no rows")
  func blankLines() throws {
    let all = try rows("\n\norder_id,item,amount\n\n1,a,5\n,,\n  \n1,b,5\n\n")
    #expect(all.map(\.lineNumbers) == [[5, 8]])
  }

  @Test("words for fulfilment, channel and payment are understood in both languages, others refused")
  func vocabulary() throws {
    let all = try rows(
      """
      order_id,fulfilment,notification,payment,address,item,amount
      1,配達,メール,現金,東京,a,5
      2,Take-out,None,card,,a,5
      3,,,,Tokyo,a,5
      4,,,,,a,5
      5,by drone,pigeon,gold,,a,5

      """)
    #expect(all.map { $0.order?.fulfilment } == [.delivery, .pickup, .delivery, .pickup, nil])
    #expect(all.map { $0.order?.notificationChannel } == [.email, FileOrder.NotificationChannel.none, nil, nil, nil])
    #expect(all.map { $0.order?.paymentMethod } == [.cash, .creditCard, nil, nil, nil])
    #expect(all[4].errors.map(\.code) == [.unknownValue, .unknownValue, .unknownValue])
    #expect(all[4].errors.first?.message == #""by drone" is not known here; write delivery, pickup"#)
  }

  @Test("a semicolon file has decimal commas")
  func semicolons() throws {
    let all = try rows("order_id;currency;item;amount\n1;EUR;a;1.234,50\n")
    #expect(all[0].order?.items.first?.total == 123_450)
  }

  @Test("rows do not depend on how the file comes in, and all bytes are shown once")
  func pieces() throws {
    let text = "order_id,item,amount\n" + (0..<300).map { "\($0 / 3),\"a\nb\",\($0)\n" }.joined()
    let bytes = Array(text.utf8)
    let whole = try rows(bytes)
    #expect(whole.count == 100)
    for length in [1, 7, 4096] { #expect(try rows(bytes, pieceLength: length) == whole) }
    var shown: [UInt8] = []
    var reader = try OrderFileReader(source: MemorySource(bytes, pieceLength: 5)) { shown += $0 }
    while try reader.next() != nil {}
    #expect(shown == bytes)
    #expect(reader.bytesRead == bytes.count)
  }

  @Test("the interpretation names all that decides how bytes become rows")
  func interpretation() throws {
    var configuration = OrderFileReader<MemorySource>.Configuration()
    configuration.columns = "item.total=c,external_id=a,item.name=b"
    configuration.currency = try #require(CurrencyUnit(code: "USD"))
    let reader = try OrderFileReader(source: MemorySource(Array("a,b,c\n".utf8)), configuration: configuration)
    #expect(
      reader.interpretation
        == "comanda-rows/1\ndelimiter=comma\ndecimals=point\ncurrency=USD\nexternal_id=1\nitem.name=2\nitem.total=3\n")
    #expect(reader.headerBytes == Array("a,b,c".utf8))
  }

  @Test(
    "files that are no table say so, and what to do",
    arguments: [
      ([], "the file is empty"), (Array("\n\n".utf8), "only blank lines"), ([0xEF, 0xBB, 0xBF], "only blank lines"),
      ([0x50, 0x4B, 0x03, 0x04, 0x00], "Excel workbook"), ([0x1F, 0x8B, 0x08], "gzip"),
      ([0xFF, 0xFE, 0x61, 0x00], "UTF-16"), (Array("a,b".utf8) + [0], "UTF-16 or binary"),
      ([0x92, 0x8D, 0x95, 0xB6, 0x2C, 0x61, 0x0A], "Shift_JIS"), (Array("\"a,b\n1,2\n".utf8), "not properly closed"),
      (Array("a,b\n".utf8), "no column gives external_id"),
      (Array(repeating: UInt8(ascii: ","), count: 2000), "1024"),
      (Array(repeating: UInt8(ascii: "x"), count: 20_000), "it has 20000 bytes; the most is 16384"),
      (Array(repeating: UInt8(ascii: ","), count: 300_000), "it has 300000 bytes; the most is 16384"),
      (Array(repeating: UInt8(ascii: ","), count: 300_000) + [0x0A], "it has 300000 bytes; the most is 16384"),
      (Array(repeating: UInt8(ascii: ","), count: 700_000), "it has more than 524288 bytes; the most is 16384"),
      (Array(repeating: 0x0A, count: 700_000), "the first 524288 bytes of the file hold only blank lines"),
      ([0x0A] + Array(repeating: UInt8(ascii: ","), count: 700_000), "it has more than 524287 bytes"),
    ] as [([UInt8], String)])
  func unusableFiles(bytes: [UInt8], expected: String) throws {
    let error = try #require(throws: OrderFileError.self) { try rows(bytes) }
    #expect("\(error)".contains(expected))
  }

  @Test("a restaurant's export with dollar signs, NULLs and trailing blanks is read from disk to the cent")
  func file() throws {
    let text = """
      order_id\tquantity\titem_name\tchoice_description\titem_total_price
      1\t1\tChips and Fresh Tomato Salsa\tNULL\t$2.39\u{20}
      1\t1\tIzze\tClementine\t$3.39\u{20}
      2\t2\tChicken Bowl\tTomatillo-Red Chili Salsa (Hot), Black Beans, Rice\t$16.98\u{20}
      3\t1\t6" Burrito\t"Mild" salsa\t$10.98\u{20}

      """
    let url = FileManager.default.temporaryDirectory.appending(path: "orders-\(UUID().uuidString).tsv")
    try Data(text.utf8).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    var configuration = OrderFileReader<FileByteSource>.Configuration()
    configuration.columns =
      "external_id=order_id,item.name=item_name,item.quantity=quantity,item.total=item_total_price,"
      + "item.note=choice_description"
    configuration.currency = try #require(CurrencyUnit(code: "USD"))
    let source = try FileByteSource(path: url.path)
    #expect(source.size == text.utf8.count)
    var reader = try OrderFileReader(source: source, path: url.path, configuration: configuration)
    var orders: [FileOrder] = []
    while let row = try reader.next() { orders.append(try #require(row.order)) }
    #expect(orders.map { $0.items.map(\.total) } == [[239, 339], [1698], [1098]])
    #expect(orders[0].items.map(\.note) == ["", "Clementine"])
    #expect(orders[2].items.first?.name == "6\" Burrito")
    #expect(orders[2].items.first?.note == "\"Mild\" salsa")
  }

  @Test("a file that is not there, and a directory, are errors with the path and the reason")
  func unreadable() throws {
    let missing = try #require(throws: OrderFileError.self) { try FileByteSource(path: "/no/such/file.csv") }
    #expect("\(missing)" == "cannot read /no/such/file.csv: No such file or directory")
    let directory = try FileByteSource(path: "/")
    #expect(directory.size == nil)
    #expect(throws: OrderFileError.cannotRead(path: "/", reason: "Is a directory")) {
      try OrderFileReader(source: directory)
    }
  }

  @Test("what cannot be read twice is refused at once, and said to be what it is")
  func irregular() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: directory) }
    let pipe = directory.appending(path: "orders.csv").path
    #expect(mkfifo(pipe, 0o600) == 0)
    for (path, kind) in [(pipe, "a pipe"), (directory.path, "a directory"), ("/dev/zero", "a device")] {
      #expect(throws: OrderFileError.notRegular(path: path, kind: kind)) { try FileByteSource(regularFile: path) }
    }
  }

  @Test("a file's stamps tell how it changed")
  func stamps() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "orders-\(UUID().uuidString).csv")
    defer { try? FileManager.default.removeItem(at: url) }
    let text = Data("a,b\n".utf8)
    try text.write(to: url)
    let first = try #require(FileStamp(path: url.path))
    #expect(first.change(to: try FileByteSource(regularFile: url.path).stamp()) == nil)
    #expect(truncate(url.path, 9) == 0)
    #expect(first.change(to: try #require(FileStamp(path: url.path))) == .grew(from: 4, to: 9))
    #expect(truncate(url.path, 1) == 0)
    #expect(first.change(to: try #require(FileStamp(path: url.path))) == .shrank(from: 4, to: 1))
    #expect(truncate(url.path, 4) == 0)
    #expect(first.change(to: try #require(FileStamp(path: url.path))) == .rewritten)
    try text.write(to: url, options: .atomic)
    #expect(first.change(to: try #require(FileStamp(path: url.path))) == .replaced)
  }

  @Test("no bytes make it trap, and rows are numbered without gaps", arguments: 0..<150)
  func anyBytes(run: Int) throws {
    let seed = SplitMix64.freshSeed()
    var random = SplitMix64(seed: seed)
    var bytes = Array("order_id,currency,placed_at,item,qty,amount,note\n".utf8)
    let cells =
      [
        "1", "1", "2", "", "JPY", "USD", "X", "$2.39", "1,5", "-1", "９", "\"", "\"a\nb\"", "abc", "2026-01-01 10:00",
        "999999999999999999999", "\u{0}", "NULL", "é", "\r",
      ].map { Array($0.utf8) } + [[0xFF], [0xE3, 0x80]]
    for _ in 0..<Int.random(in: 0...60, using: &random) {
      for column in 0..<7 {
        if column > 0, Int.random(in: 0..<40, using: &random) > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += cells.randomElement(using: &random) ?? []
      }
      if Int.random(in: 0..<40, using: &random) > 0 { bytes.append(UInt8(ascii: "\n")) }
    }
    let all = try rows(bytes)
    #expect(all.map(\.number) == all.indices.map { $0 + 1 }, "seed \(seed)")
    let numbers = all.flatMap { $0.lines }.map(\.number)
    #expect(numbers == numbers.sorted(), "seed \(seed)")
    #expect(Set(numbers).count == numbers.count, "seed \(seed)")
    #expect(all.allSatisfy { $0.order != nil || !$0.errors.isEmpty }, "seed \(seed)")
    #expect(try rows(bytes, pieceLength: 3) == all, "seed \(seed)")
  }
}
