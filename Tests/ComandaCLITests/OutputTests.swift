import ComandaClient
import ComandaProtos
import ComandaRPC
import SwiftProtobuf
import Testing

@testable import comanda

struct OutputTests {
  @Test(
    "amounts have the decimals of their currency",
    arguments: [
      (3_450_016, "USD", "34,500.16 USD"), (1250, "JPY", "1,250 JPY"), (5, "USD", "0.05 USD"), (-5, "USD", "-0.05 USD"),
      (1_000, "KWD", "1.000 KWD"), (0, "EUR", "0.00 EUR"), (.min, "JPY", "-9,223,372,036,854,775,808 JPY"),
      (7, "QQQ", "7 minor units of QQQ"),
    ] as [(Int64, String, String)])
  func amounts(minorUnits: Int64, currency: String, expected: String) {
    #expect(NumberText.amount(minorUnits, currency) == expected)
  }

  @Test("quantities and times are short")
  func numbers() {
    #expect([2000, 500, 1250, 1, 0, -1500].map(NumberText.quantity) == ["2", "0.5", "1.25", "0.001", "0", "-1.5"])
    #expect([0, 65, 3600, 3723].map { NumberText.clock(.seconds($0)) } == ["0:00", "1:05", "1:00:00", "1:02:03"])
    #expect([0, 999, 1000, 1_234_567].map { NumberText.grouped($0) } == ["0", "999", "1,000", "1,234,567"])
    let moment = Google_Protobuf_Timestamp(seconds: 1_795_256_100, nanos: 50_000_000)
    #expect(TimeText.json(moment) == "2026-11-21T10:15:00.05Z")
    #expect(TimeText.table(moment) == "2026-11-21 10:15:00")
    #expect(TimeText.json(Google_Protobuf_Timestamp(seconds: -1)) == "1969-12-31T23:59:59Z")
  }

  private static var table: Table {
    var table = Table([
      Table.Column(title: "ID"), Table.Column(title: "NAME", fit: .shortened),
      Table.Column(title: "N", alignment: .right, fit: .dispensable(2)),
      Table.Column(title: "WHEN", fit: .dispensable(1)), Table.Column(title: "NOTE", fit: .shortened),
    ])
    table.append(["0199e4b0", "加藤 恵", "1", "10:15", "おはようございます、元気ですか"])
    table.append(["0199e4b1", "Alexandrina Maximiliane", "12", "10:16", "b"])
    return table
  }

  @Test("columns stay aligned under wide characters, and nothing is cut where nothing has to fit")
  func tables() {
    let whole = """
      ID        NAME                      N  WHEN   NOTE
      0199e4b0  加藤 恵                   1  10:15  おはようございます、元気ですか
      0199e4b1  Alexandrina Maximiliane  12  10:16  b

      """
    #expect(Self.table.text() == whole)
    #expect(Self.table.text(width: 200) == whole)
  }

  @Test("a table fits its terminal: texts are cut first, then what is least needed is left out, and never an id")
  func narrowTables() {
    for width in 36...90 {
      let lines = Self.table.text(width: width).split(separator: "\n")
      #expect(lines.allSatisfy { Printable($0).width <= width }, "\(width): \(lines)")
      #expect(lines.last?.contains("0199e4b1") == true)
    }
    #expect(
      Self.table.text(width: 60) == """
        ID        NAME                  N  WHEN   NOTE
        0199e4b0  加藤 恵               1  10:15  おはようございま…
        0199e4b1  Alexandrina Maximi…  12  10:16  b

        """)
    #expect(Self.table.omittedTitles(width: 60) == [])
    #expect(Self.table.omittedTitles(width: 43) == ["N"])
    #expect(Self.table.omittedTitles(width: 36) == ["N", "WHEN"])
    #expect(Self.table.text(width: 5).contains("0199e4b0"))
  }

  @Test("a parked import, and any state that is newer than this program, has a name")
  func stateNames() throws {
    let faulted = try #require(Comanda_V1_ImportState(rawValue: 9))
    #expect(faulted.schemaName == "FAULTED")
    #expect(Comanda_V1_ImportState(schemaName: "faulted") == faulted)
    #expect(Comanda_V1_ImportState(rawValue: 77)?.schemaName == "UNKNOWN_77")
    let parked = Comanda_V1_ImportProgress.with {
      $0.state = faulted
      $0.committedRow = 5
      $0.appliedRows = 3
    }
    #expect(ImportSummary(parked).status == .someRowsFailed)
    #expect(ImportSummary(parked).text(elapsed: .seconds(1)) == "5 orders in 1.0 s: 3 applied (FAULTED)")
    let failure = try #require(CommandFailure(ImportFailure.faulted(importID: "i-1")))
    #expect(failure.message.contains("import i-1 is parked"))
    #expect(failure.status == .failed)
  }

  @Test("texts from elsewhere cannot drive the terminal")
  func sanitises() {
    #expect(Printable("a\u{1B}[2Jb\nc\u{202E}d").description == "a\u{FFFD}[2Jb c\u{FFFD}d")
    #expect(Printable("ラーメン").width == 8)
    #expect(Printable("e\u{301}").width == 1)
  }

  @Test("an import's result has exactly the keys that scripts rely on")
  func importJSON() throws {
    let progress = Comanda_V1_ImportProgress.with {
      $0.committedRow = 10
      $0.appliedRows = 6
      $0.unchangedRows = 1
      $0.failedRows = 2
      $0.unprocessedRows = 1
    }
    let text = try JSONOutput.text(
      of: ImportResultJSON(FinishedImport(importID: "i-1", progress: progress), elapsed: .milliseconds(1500)))
    #expect(
      text == #"{"applied":6,"failed":2,"import_id":"i-1","rows":10,"seconds":1.5,"unchanged":1,"unprocessed":1}"#)
  }

  @Test("an import that was interrupted says what is known of it, with exactly the keys that scripts rely on")
  func unfinishedImportJSON() throws {
    var meter = ProgressMeter()
    #expect(try JSONOutput.text(of: UnfinishedImportJSON(meter, resume: nil)) == #"{"committed_row":0}"#)
    let progress = Comanda_V1_ImportProgress.with {
      $0.state = .receiving
      $0.committedRow = 1_000
      $0.appliedRows = 500
    }
    meter.take(.started(ImportStart(importID: "i-1", progress: progress)), at: .zero)
    let unfinished = UnfinishedImportJSON(meter, resume: "comanda import 'my orders.csv' --resume i-1")
    #expect(
      try JSONOutput.text(of: unfinished)
        == #"{"committed_row":1000,"import_id":"i-1","resume":"comanda import 'my orders.csv' --resume i-1","#
        + #""state":"RECEIVING"}"#)
  }

  @Test("statistics have exactly the keys that scripts rely on")
  func statisticsJSON() throws {
    let statistics = Comanda_V1_OrderStatistics.with {
      $0.orders = 3
      $0.items = 7
      $0.byStatus = [
        .with {
          $0.status = .outForDelivery
          $0.orders = 3
        }
      ]
      $0.totals = [
        .with {
          $0.currency = "USD"
          $0.minorUnits = 3_450_016
        }
      ]
    }
    #expect(
      try JSONOutput.text(of: OrderStatisticsJSON(statistics))
        == #"{"by_status":{"OUT_FOR_DELIVERY":3},"items":7,"orders":3,"total_minor":{"USD":3450016}}"#)
  }

  @Test("a failed row says where, what and why; a problem without a line names its row")
  func failures() {
    let row = Comanda_V1_ImportRowResult.with {
      $0.row = 9
      $0.problems = [
        .with {
          $0.line = 17
          $0.field = "items[0].quantity"
          $0.code = "OUT_OF_RANGE"
          $0.message = "quantity is 0; it must be above 0"
        },
        .with {
          $0.code = "DUPLICATE_IN_FILE"
          $0.message = "line 3 has it already"
        },
      ]
    }
    #expect(
      FailureText.lines(of: row) == [
        "line 17: items[0].quantity OUT_OF_RANGE: quantity is 0; it must be above 0",
        "row 9: DUPLICATE_IN_FILE: line 3 has it already",
      ])
  }

  @Test(
    "cells of the report are quoted where needed, and inert in a spreadsheet",
    arguments: [
      ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("a\nb", "\"a\nb\""),
      ("=1+1", "'=1+1"), ("@x,y", "\"'@x,y\""), ("-5", "'-5"), ("", ""),
    ])
  func cells(content: String, expected: String) {
    #expect(CSVCell.encoded(Array(content.utf8)) == Array(expected.utf8))
  }

  @Test("errors are a line of what is wrong, with violations and hints below")
  func errors() throws {
    let details = Comanda_V1_ErrorDetails.with {
      $0.violations = [
        .with {
          $0.field = "items[0].name"
          $0.code = "MISSING"
          $0.description_p = "items[0].name is missing"
        }
      ]
    }
    let invalid = RPCError(.invalidArgument, "…", details: try details.serializedBytes())
    #expect(
      CommandFailure(invalid)?.description == """
        comanda: the request is not valid (INVALID_ARGUMENT)
          items[0].name MISSING: items[0].name is missing
        """)
    let away = try #require(CommandFailure(RPCError(.unavailable, "cannot connect to h:1")))
    #expect(away.description.hasPrefix("comanda: cannot connect to h:1 (UNAVAILABLE)\n  is the server running"))
    #expect(away.status == .failed)
    #expect(CommandFailure(CancellationError())?.status == .interrupted)
  }
}
