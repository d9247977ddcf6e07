import ComandaPostgres
import FoundationEssentials
import Testing

@Suite("Values")
struct ValueTests {
  /// Sends a value through the server, which must see it as `sql` does, and gives the row back.
  private func echo(_ parameter: Parameter, as type: String, in pool: PostgresPool) async throws -> Row {
    try await pool.query(Statement("SELECT $1::\(type), $1::\(type)::text"), [parameter]).rows[0]
  }

  @Test("numbers keep their value at the edges of their range")
  func numbers() async throws {
    try await withPool { pool in
      for value in [Int64.min, -1, 0, 1, .max] {
        let row = try await echo(.int8(value), as: "int8", in: pool)
        #expect(try row.int64(0) == value)
        #expect(try row.text(1) == "\(value)")
      }
      for value in [Int32.min, -1, 0, .max] {
        let row = try await echo(.int4(value), as: "int4", in: pool)
        #expect(try row.int32(0) == value && row.int64(0) == Int64(value))
        #expect(try row.text(1) == "\(value)")
      }
      for value in [Int16.min, -1, 0, .max] {
        let row = try await echo(.int2(value), as: "int2", in: pool)
        #expect(try row.int16(0) == value && row.int32(0) == Int32(value) && row.int64(0) == Int64(value))
        #expect(try row.text(1) == "\(value)")
      }
      for value in [-Double.greatestFiniteMagnitude, -0.1, 0, .leastNonzeroMagnitude, .infinity] {
        #expect(try await echo(.float8(value), as: "float8", in: pool).double(0) == value)
      }
      #expect(try await echo(.float8(.nan), as: "float8", in: pool).double(0).isNaN)
      #expect(try await echo(.float8(1.5), as: "float4", in: pool).double(0) == 1.5)
    }
  }

  @Test("whole numerics, such as sum() gives, are read exactly, others are refused")
  func numerics() async throws {
    try await withPool { pool in
      for value in [Int64.min, .min + 1, -10_000, -9_999, -1, 0, 1, 9_999, 10_000, 100_000_000, 123_456_789_012, .max] {
        let row = try await pool.query(Statement("SELECT '\(value)'::numeric, '\(value).000'::numeric")).rows[0]
        #expect(try row.int64(0) == value)
        #expect(try row.int64(1) == value)
      }
      for text in ["9223372036854775808", "-9223372036854775809", "0.5", "10000.0001", "1e40", "NaN", "Infinity"] {
        let row = try await pool.query(Statement("SELECT '\(text)'::numeric")).rows[0]
        #expect(throws: PostgresError.self) { try row.int64(0) }
      }
    }
  }

  @Test("texts, bytes and JSON come back as they were")
  func texts() async throws {
    try await withPool { pool in
      for value in ["", "a", "注文 🍣 ñ", String(repeating: "x", count: 1_000_000), "\u{1}\n\t\\'\""] {
        #expect(try await echo(.text(value), as: "text", in: pool).text(0) == value)
        #expect(try await echo(.text(value), as: "varchar", in: pool).text(0) == value)
      }
      for value: [UInt8] in [[], [0], Array(0...255), [UInt8](repeating: 7, count: 1_000_000)] {
        #expect(try await echo(.bytes(value), as: "bytea", in: pool).bytes(0) == value)
      }
      let json = #"{"名": ["寿司", null, 1.5]}"#
      #expect(try await echo(.json(json), as: "jsonb", in: pool).json(0) == json)
      #expect(try await pool.query(Statement("SELECT '[1,  2]'::json")).rows[0].json(0) == "[1,  2]")
      let error = try await postgresError { _ = try await echo(.text("a\u{0}b"), as: "text", in: pool) }
      #expect(error?.sqlState == .characterNotInRepertoire)
    }
  }

  @Test("an enum's label is read as text")
  func enums() async throws {
    try await withPool { pool in
      _ = try await pool.query(Statement("CREATE TYPE mood AS ENUM ('calm', 'hungry')"))
      let row = try await pool.query(Statement("SELECT $1::mood, ARRAY['calm', NULL]::mood[]"), [.text("hungry")]).rows[
        0]
      #expect(try row.text(0) == "hungry")
      #expect(try row.textArray(1) == ["calm", nil])
    }
  }

  @Test("booleans, uuids and times come back as they were")
  func others() async throws {
    try await withPool { pool in
      for value in [true, false] {
        let row = try await echo(.bool(value), as: "bool", in: pool)
        #expect(try row.bool(0) == value)
        #expect(try row.text(1) == "\(value)")
      }
      let uuid = UUID()
      let row = try await echo(.uuid(uuid), as: "uuid", in: pool)
      #expect(try row.uuid(0) == uuid)
      #expect(try row.text(1) == uuid.uuidString.lowercased())

      let times: [Int64] = [0, -1, 1_700_000_000_123_456, -210_866_803_200_000_000, 9_223_339_708_800_000_000]
      for time in times {
        let row = try await pool.query(
          Statement("SELECT $1::timestamptz, (extract(epoch FROM $1::timestamptz) * 1000000)::int8"),
          [.timestamp(microsecondsSinceUnixEpoch: time)]
        ).rows[0]
        #expect(try row.timestamp(0) == time)
        #expect(try row.int64(1) == time)
      }
    }
  }

  @Test("times outside of PostgreSQL's range and its infinities are errors, not traps")
  func timesOutOfRange() async throws {
    try await withPool { pool in
      for time in [Int64.min, -300_000_000_000_000_000] {
        let error = try await postgresError {
          _ = try await echo(.timestamp(microsecondsSinceUnixEpoch: time), as: "timestamptz", in: pool)
        }
        #expect(error?.kind == (time == .min ? .invalidParameter : .server))
      }
      let array = try await postgresError {
        _ = try await echo(.timestampArray([0, .min]), as: "timestamptz[]", in: pool)
      }
      #expect(array?.kind == .invalidParameter)
      let infinity = try await pool.query(Statement("SELECT 'infinity'::timestamptz, '-infinity'::timestamptz")).rows[0]
      #expect(throws: PostgresError.self) { try infinity.timestamp(0) }
      #expect(throws: PostgresError.self) { try infinity.timestamp(1) }
    }
  }

  @Test("arrays keep their elements, NULLs and emptiness")
  func arrays() async throws {
    try await withPool { pool in
      let uuid = UUID()
      let cases: [(Parameter, String, String)] = [
        (.boolArray([true, nil, false]), "bool[]", "{t,NULL,f}"),
        (.int2Array([.min, nil, .max]), "int2[]", "{-32768,NULL,32767}"),
        (.int4Array([1, nil]), "int4[]", "{1,NULL}"),
        (.int8Array([.min, nil, .max]), "int8[]", "{-9223372036854775808,NULL,9223372036854775807}"),
        (.float8Array([1.5, nil]), "float8[]", "{1.5,NULL}"),
        (.textArray(["", nil, "a b", "NULL"]), "text[]", #"{"",NULL,"a b","NULL"}"#),
        (.byteaArray([[], nil, [255]]), "bytea[]", #"{"\\x",NULL,"\\xff"}"#),
        (.uuidArray([uuid, nil]), "uuid[]", "{\(uuid.uuidString.lowercased()),NULL}"),
        (.timestampArray([0, nil]), "timestamptz[]", #"{"1970-01-01 00:00:00+00",NULL}"#),
        (.jsonArray(["{}", nil]), "jsonb[]", #"{"{}",NULL}"#),
        (.int8Array([]), "int8[]", "{}"),
        (.textArray([nil]), "text[]", "{NULL}"),
      ]
      _ = try await pool.query(Statement("ALTER DATABASE \(try await database(pool)) SET timezone = 'UTC'"))
      try await pool.withConnection { connection in
        for (parameter, type, text) in cases {
          let row = try await connection.query(Statement("SELECT $1::\(type)::text"), [parameter]).rows[0]
          #expect(try row.text(0) == text)
        }
        let row = try await connection.query(
          Statement("SELECT $1::int8[], $2::text[], $3::uuid[], $4::int8[], ARRAY[1, NULL]::int2[], '{{1}}'::int8[]"),
          [.int8Array([1, nil]), .textArray(["", nil]), .uuidArray([uuid, nil]), .int8Array([])]
        ).rows[0]
        #expect(try row.int64Array(0) == [1, nil])
        #expect(try row.textArray(1) == ["", nil])
        #expect(try row.uuidArray(2) == [uuid, nil])
        #expect(try row.int64Array(3) == [])
        #expect(try row.int64Array(4) == [1, nil])
        #expect(throws: PostgresError.self) { try row.int64Array(5) }
        #expect(throws: PostgresError.self) { try row.textArray(0) }
      }
    }
  }

  private func database(_ pool: PostgresPool) async throws -> String {
    try await pool.query(Statement("SELECT current_database()::text")).rows[0].text(0)
  }

  @Test("NULL is nil, or an error that names the column")
  func nulls() async throws {
    try await withPool { pool in
      let row = try await pool.query(Statement("SELECT NULL::int8 AS amount, $1::text, $2::uuid[]"), [.null, .null])
        .rows[0]
      #expect(row.isNull(0) && row.isNull(1) && row.isNull(2))
      #expect(try row.int64OrNil(0) == nil)
      #expect(try row.textOrNil(1) == nil)
      #expect(try row.uuidArrayOrNil(2) == nil)
      let error = #expect(throws: PostgresError.self) { try row.int64(0) }
      #expect(error?.kind == .decoding)
      #expect(error?.description.contains("amount") == true)
    }
  }

  @Test("a column read as something else is an error that names column and type, not a trap")
  func mismatches() async throws {
    try await withPool { pool in
      let row = try await pool.query(Statement("SELECT 1::int4 AS number, 'x'::text AS word")).rows[0]
      for column in [-1, 2, Int.max] {
        #expect(row.isNull(column))
        #expect(throws: PostgresError.self) { try row.int64(column) }
      }
      let error = #expect(throws: PostgresError.self) { try row.uuid(0) }
      #expect(error?.description.contains("number") == true && error?.description.contains("int4") == true)
      #expect(throws: PostgresError.self) { try row.int64(1) }
      #expect(throws: PostgresError.self) { try row.text(0) }
      #expect(throws: PostgresError.self) { try row.int16(0) }
      #expect(throws: PostgresError.self) { try row.timestamp(0) }
      #expect(throws: PostgresError.self) { try row.bytes(1) }
      #expect(throws: PostgresError.self) { try row.json(1) }
      #expect(try row.withRawBytes(0) { $0.map { Array($0) } } == [0, 0, 0, 1])
    }
  }

  @Test("65,535 parameters are sent, one more is refused")
  func parameterLimit() async throws {
    try await withPool { pool in
      let list = (1...65_535).map { "$\($0)::int4" }.joined(separator: ",")
      let statement = Statement("SELECT count(*) FROM (SELECT unnest(ARRAY[\(list)])) AS numbers")
      let result = try await pool.query(statement, Array(repeating: .int4(1), count: 65_535))
      #expect(try result.rows[0].int64(0) == 65_535)
      let error = try await postgresError {
        _ = try await pool.query(statement, Array(repeating: .int4(1), count: 65_536))
      }
      #expect(error?.kind == .invalidParameter)
    }
  }

  @Test("the COPY encoder writes every type as the server reads it")
  func copyEncoder() async throws {
    try await withPool { pool in
      _ = try await pool.query(
        Statement(
          """
          CREATE TABLE everything (a bool, b int2, c int4, d int8, e float8, f text, g text, h bytea, i bytea, j uuid,
            k timestamptz, l jsonb, m jsonb, n int8[], o text[], p text[], q int4[], r text)
          """))
      let uuid = UUID()
      try await pool.withConnection { connection in
        let copied = try await connection.copyIn("COPY everything FROM STDIN (FORMAT binary)") { writer in
          var encoder = CopyBinaryEncoder(capacity: 16)
          encoder.header()
          encoder.beginRow(fields: 18)
          encoder.bool(true)
          encoder.int2(.min)
          encoder.int4(.min)
          encoder.int8(.min)
          encoder.float8(0.5)
          encoder.text("寿司")
          Array("bytes".utf8).withUnsafeBytes { encoder.text($0) }
          encoder.bytea([0, 255])
          [1, 2].withUnsafeBytes { encoder.bytea(UnsafeRawBufferPointer(rebasing: $0.prefix(1))) }
          encoder.uuid(uuid)
          try encoder.timestamp(microsecondsSinceUnixEpoch: -1)
          encoder.jsonb(#"{"a": 1}"#)
          Array("[2]".utf8).withUnsafeBytes { encoder.jsonb($0) }
          encoder.int8Array([1, nil, .max])
          encoder.textArray(["a", nil, ""])
          Array("x".utf8).withUnsafeBytes { encoder.textArray([$0, nil]) }
          encoder.int4Array([Int32]().map(Optional.some))
          encoder.null()
          encoder.trailer()
          try await writer.write(&encoder)
        }
        #expect(copied == 1)
      }
      let row = try await pool.query(Statement("SELECT * FROM everything")).rows[0]
      #expect(try row.bool(0) && row.int16(1) == .min && row.int32(2) == .min && row.int64(3) == .min)
      #expect(try row.double(4) == 0.5 && row.text(5) == "寿司" && row.text(6) == "bytes")
      #expect(try row.bytes(7) == [0, 255] && row.bytes(8) == [1])
      #expect(try row.uuid(9) == uuid && row.timestamp(10) == -1)
      #expect(try row.json(11) == #"{"a": 1}"# && row.json(12) == "[2]")
      #expect(try row.int64Array(13) == [1, nil, .max] && row.textArray(14) == ["a", nil, ""])
      #expect(try row.textArray(15) == ["x", nil] && row.int64Array(16) == [] && row.isNull(17))
    }
  }
}
