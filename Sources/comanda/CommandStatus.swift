/// How the process ends; thrown when all that is to be said has been said.
enum CommandStatus: Int32, Error {
  /// Nothing, or not what was asked, was done.
  case failed = 1
  /// The command line is wrong.
  case usage = 2
  /// An import came to its end, and some of its rows are no orders.
  case someRowsFailed = 3
  /// Ended by SIGINT.
  case interrupted = 130
  /// Ended by SIGTERM.
  case terminated = 143
}
