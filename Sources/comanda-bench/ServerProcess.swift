import ArgumentParser
import Foundation

/// What the kernel says of a process of this machine: of a server whose cost is measured.
struct ServerProcess: Sendable {
  let pid: Int32

  /// - Throws: when there is no such process.
  init(_ pid: Int32) throws {
    guard kill(pid, 0) == 0 || errno == EPERM else { throw ValidationError("there is no process \(pid)") }
    self.pid = pid
  }

  /// Processor time in seconds, in clock ticks' steps.
  var processorSeconds: Double {
    let line = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    // The name, in parentheses, may hold spaces.
    let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Memory that is resident, in bytes.
  var residentBytes: Int {
    kibibytes("VmRSS") << 10
  }

  /// The most memory that ever was resident, in bytes.
  var peakBytes: Int {
    kibibytes("VmHWM") << 10
  }

  private func kibibytes(_ name: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
  }
}
