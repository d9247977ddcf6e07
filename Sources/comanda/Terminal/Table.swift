/// Rows of text in aligned columns.
struct Table {
  /// Which end of a cell is aligned.
  enum Alignment {
    case left, right
  }

  /// A column: its title, its alignment, and how many terminal columns a cell may take.
  struct Column {
    var title: String
    var alignment = Alignment.left
    var limit = 40
  }

  private static let gap = "  "

  private let columns: [Column]
  private var rows: [[Printable]] = []

  init(_ columns: [Column]) {
    self.columns = columns
    if columns.contains(where: { !$0.title.isEmpty }) { append(columns.map(\.title)) }
  }

  mutating func append(_ cells: [String]) {
    rows.append(zip(cells, columns).map { Printable($0).cut(to: $1.limit) })
  }

  /// One line a row, the title first.
  var text: String {
    let widths = columns.indices.map { column in rows.reduce(0) { max($0, $1[column].width) } }
    return rows.map { row in line(row, widths) + "\n" }.joined()
  }

  private func line(_ row: [Printable], _ widths: [Int]) -> String {
    var line = ""
    for (index, cell) in row.enumerated() {
      let padding = String(repeating: " ", count: widths[index] - cell.width)
      switch columns[index].alignment {
      case .left: line += index == row.count - 1 ? cell.description : cell.description + padding
      case .right: line += padding + cell.description
      }
      if index < row.count - 1 { line += Self.gap }
    }
    return line
  }
}
