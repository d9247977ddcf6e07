import ArgumentParser
import CLinux

/// Measures Comanda's parts on this machine; each subcommand says how to compare its figures with a peer's.
@main
struct ComandaBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "comanda-bench",
    abstract: "Measures Comanda's parts on this machine.",
    discussion: """
      Figures are worth something as ratios to a peer measured in the same minute on the same machine, by a release \
      build.

      Example: comanda-bench serve-echo --listen 127.0.0.1:7901 --directory /tmp/bench &
               comanda-bench echo --profile /tmp/bench/profile.json --in-flight 64 --calls 200000 --server-pid $!
      or, with a certificate of one's own:
               comanda-bench serve-echo --listen 127.0.0.1:7901 --cert server.pem --key server.key &
               comanda-bench echo --target 127.0.0.1:7901 --ca ca.pem --connections 4 --in-flight 64 --calls 200000
      """,
    subcommands: [ServeEcho.self, Echo.self, StreamCommand.self, Connections.self, Codec.self])

  static func main() async {
    comanda_open_standard_descriptors()
    await main(nil)
  }
}
