/// Rows of text in aligned columns.
struct Table {
  /// Which end of a cell is aligned.
  enum Alignment {
    case left, right
  }

  /// What becomes of a column in a terminal that is too narrow.
  enum Fit: Equatable {
    /// It stays as it is: an id that is cut is none.
    case kept
    /// Its cells are cut, with an ellipsis.
    case shortened
    /// It is left out; the higher the number, the sooner.
    case dispensable(Int)
  }

  /// A column: its title, its alignment, and whether it has to be there as a whole.
  struct Column {
    var title: String
    var alignment = Alignment.left
    var fit = Fit.kept
  }

  private static let gap = "  "
  /// Less of a text tells nothing.
  private static let shortest = 12

  private let columns: [Column]
  private var rows: [[Printable]] = []

  init(_ columns: [Column]) {
    self.columns = columns
    if columns.contains(where: { !$0.title.isEmpty }) { append(columns.map(\.title)) }
  }

  mutating func append(_ cells: [String]) {
    rows.append(cells.map { Printable($0) })
  }

  /// Writes the table to stdout, as wide as a terminal is, and on stderr what it had no room for.
  func print() {
    let width = StandardOutput.width
    StandardOutput.write(text(width: width))
    let omitted = omittedTitles(width: width)
    guard !omitted.isEmpty else { return }
    StandardError.write(
      "left out for want of room: \(omitted.joined(separator: ", ")); a wider terminal shows them, and so does --json\n"
    )
  }

  /// One line a row, the title first.
  /// - Parameter width: columns of the terminal; nil to cut nothing.
  func text(width: Int? = nil) -> String {
    let widths = fitted(to: width)
    let shown = columns.indices.filter { widths[$0] != nil }
    return rows.map { row in line(row, shown, widths) + "\n" }.joined()
  }

  /// The titles of the columns that there is no room for.
  func omittedTitles(width: Int?) -> [String] {
    zip(columns, fitted(to: width)).compactMap { $1 == nil ? $0.title : nil }
  }

  /// The width of each column; nil for those that are left out.
  private func fitted(to width: Int?) -> [Int?] {
    let natural = columns.indices.map { column in rows.reduce(0) { max($0, $1[column].width) } }
    guard let width else { return natural }
    let least = columns.indices.map { columns[$0].fit == .shortened ? min(natural[$0], Self.shortest) : natural[$0] }
    var widths: [Int?] = least
    while Self.total(widths) > width, let column = leastNeeded(of: widths) { widths[column] = nil }
    // What is left goes to the texts, one column at a time to the one that has least of what it needs.
    var room = width - Self.total(widths)
    while room > 0, let column = narrowest(of: widths, below: natural) {
      widths[column] = widths[column].map { $0 + 1 }
      room -= 1
    }
    return widths
  }

  private static func total(_ widths: [Int?]) -> Int {
    let shown = widths.compactMap { $0 }
    return shown.reduce(0, +) + gap.count * max(0, shown.count - 1)
  }

  private func leastNeeded(of widths: [Int?]) -> Int? {
    let ranks = columns.indices.compactMap { column -> (rank: Int, column: Int)? in
      guard widths[column] != nil, case .dispensable(let rank) = columns[column].fit else { return nil }
      return (rank, column)
    }
    return ranks.max { $0.rank < $1.rank }?.column
  }

  private func narrowest(of widths: [Int?], below natural: [Int]) -> Int? {
    let wanting = columns.indices.filter { column in
      widths[column].map { $0 < natural[column] } ?? false
    }
    return wanting.min { (widths[$0] ?? 0) < (widths[$1] ?? 0) }
  }

  private func line(_ row: [Printable], _ shown: [Int], _ widths: [Int?]) -> String {
    var line = ""
    for column in shown {
      let width = widths[column] ?? 0
      let cell = row[column].cut(to: width)
      let padding = String(repeating: " ", count: max(0, width - cell.width))
      let isLast = column == shown.last
      switch columns[column].alignment {
      case .left: line += isLast ? cell.description : cell.description + padding
      case .right: line += padding + cell.description
      }
      if !isLast { line += Self.gap }
    }
    return line
  }
}
