import Testing

@testable import ComandaRPC

@Suite("Texts from elsewhere, in a log")
struct LogTextTests {
  @Test("plain words stand as they are", arguments: ["127.0.0.1:7443", "[::1]:7443", "0190-a_b/c", "comanda/1"])
  func plain(text: String) {
    #expect(LogText(text).description == text)
  }

  @Test(
    "anything else is quoted, on one line",
    arguments: [
      ("", #""""#), ("two words", #""two words""#), ("a=b", #""a=b""#), (#"say "x""#, #""say \"x\"""#),
      ("注文", #""注文""#), ("a\nlevel=error", #""a\u{a}level=error""#), ("\u{1B}[2J", #""\u{1b}[2J""#),
      ("\r\n", #""\u{d}\u{a}""#), ("\u{202E}x\u{2028}", #""\u{202e}x\u{2028}""#),
    ])
  func quoted(text: String, shown: String) {
    #expect(LogText(text).description == shown)
  }

  @Test("a long text is cut, whatever it is made of", arguments: ["x", "\u{0301}", "\n"])
  func long(piece: String) {
    let shown = LogText(String(repeating: piece, count: 100_000)).description
    #expect(shown.hasSuffix("…\""))
    #expect(shown.utf8.count < 7 * LogText.longest)
  }
}
