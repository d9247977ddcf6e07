import ComandaWireTestKit
import Glibc
import NIOCore

/// libFuzzer's own loop: `LLVMFuzzerRunDriver` of the library that `-sanitize=fuzzer` links.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ takeInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The fuzzer. `COMANDA_FUZZ_TARGET` names the target; the arguments are libFuzzer's. `deploy/fuzz` starts it.
@main
enum Main {
  /// What is fuzzed: a callback of C cannot capture it.
  static let target = FuzzTarget(rawValue: environment("COMANDA_FUZZ_TARGET") ?? "")

  static func main() {
    guard target != nil else {
      let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
      print("COMANDA_FUZZ_TARGET names what to fuzz: one of \(names)")
      exit(2)
    }
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(
      runFuzzer(&count, &arguments) { bytes, length in
        do {
          try Main.target?.run(ByteBuffer(bytes: UnsafeBufferPointer(start: bytes, count: length)))
          return 0
        } catch {
          print("FOUND: \(error)")
          fflush(nil)
          abort()
        }
      })
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
