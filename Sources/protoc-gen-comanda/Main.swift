import ComandaCodeGen

@main
enum Main {
  static func main() {
    ComandaPlugin.main()
  }
}
