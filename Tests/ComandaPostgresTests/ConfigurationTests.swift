import Testing

@testable import ComandaPostgres

@Suite("Configuration")
struct ConfigurationTests {
  private func parameters(_ url: String, timeout: Duration? = .seconds(5)) throws -> [String: String] {
    let list = try PostgresConfiguration(url: url).connectParameters(statementTimeout: timeout)
    return Dictionary(list.map { ($0.keyword, $0.value) }, uniquingKeysWith: { _, last in last })
  }

  @Test("URIs and connection strings are read, several hosts too")
  func forms() throws {
    let uri = try parameters("postgresql://me:s%20p@a:1,b:2/orders?target_session_attrs=read-write")
    #expect(uri["host"] == "a,b" && uri["port"] == "1,2" && uri["user"] == "me" && uri["password"] == "s p")
    #expect(uri["dbname"] == "orders" && uri["target_session_attrs"] == "read-write")
    let string = try parameters("host=/run/pg dbname='my db'")
    #expect(string["host"] == "/run/pg" && string["dbname"] == "my db")
  }

  @Test("our settings fill in what the URL leaves open, and what it says stays")
  func defaults() throws {
    let ours = try parameters("dbname=x")
    let options =
      "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=3000 -c max_parallel_workers_per_gather=0"
    #expect(ours["options"] == options)
    #expect(ours["client_encoding"] == "UTF8" && ours["application_name"] == "comanda")
    let theirs = try parameters(
      "dbname=x application_name=mine client_encoding=LATIN1 options='-c work_mem=1MB -c statement_timeout=7'")
    #expect(theirs["application_name"] == "mine")
    #expect(theirs["client_encoding"] == "UTF8")
    #expect(theirs["options"] == "-c work_mem=1MB -c statement_timeout=7 " + options)
    #expect(try parameters("dbname=x", timeout: nil)["options"]?.hasPrefix("-c statement_timeout=0 ") == true)
    let short = try parameters("dbname=x", timeout: .microseconds(10))
    #expect(short["options"]?.hasPrefix("-c statement_timeout=1 ") == true)
  }

  @Test("what cannot be read is refused without repeating it")
  func refusal() {
    for url in ["postgresql://me:secret@host:70000000/x?nonsense=1", "secret", "postgresql://[secret"] {
      let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(url: url) }
      #expect(error?.kind == .configuration)
      #expect(error?.description.contains("secret") == false)
      #expect(error?.detailForLog == nil)
    }
  }

  @Test("durations become whole milliseconds within what PostgreSQL and poll take")
  func milliseconds() {
    #expect(Duration.zero.wholeMilliseconds == 0)
    #expect(Duration.nanoseconds(1).wholeMilliseconds == 1)
    #expect(Duration.milliseconds(1_500).wholeMilliseconds == 1_500)
    #expect(Duration.seconds(-1).wholeMilliseconds == 0)
    #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
  }

  @Test("the SQLSTATE of a failed attempt is found in libpq's message")
  func connectMessages() {
    let refused = """
      connection to server at "a" (10.0.0.1), port 5432 failed: Connection refused
      \tIs the server running on that host and accepting TCP/IP connections?
      """
    #expect(Connector.sqlState(inVerbose: refused) == nil)
    let password = """
      connection to server on socket "/tmp/.s.PGSQL.5432" failed: FATAL:  28P01: password authentication failed for user "x"
      LOCATION:  auth_failed, auth.c:326
      """
    #expect(Connector.sqlState(inVerbose: password) == .invalidPassword)
    let starting = "connection to server at \"b\", port 5432 failed: FATAL:  57P03: the database system is starting up"
    #expect(Connector.sqlState(inVerbose: refused + "\n" + starting) == .cannotConnectNow)
  }
}
