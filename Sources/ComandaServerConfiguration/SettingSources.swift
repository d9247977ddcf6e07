import Configuration
import FoundationEssentials

/// Flags, environment and file as one: the first that has a value for a key decides.
struct SettingSources {
  /// A configuration file larger than this is none.
  static let fileLimit = 1 << 20

  private struct Source {
    let snapshot: any ConfigSnapshot
    let prefix: [String]
    /// Makes the words for a place of the name that the source itself has for a key.
    let origin: (String) -> String
    /// Whether an empty value means that there is none, as compose files and unit files write it.
    let emptyIsUnset: Bool
  }

  private let sources: [Source]

  /// - Parameters:
  ///   - flags: what was given on the command line.
  ///   - environment: the variables; those of other names than `COMANDA_…` do not matter.
  ///   - file: a JSON file to read; else the one that `COMANDA_CONFIG` names, if it does.
  init(flags: [SettingKey: String], environment: [String: String], file: String?) throws {
    let values = flags.map { key, value in
      (AbsoluteConfigKey([key.rawValue], context: [:]), ConfigValue(.string(value), isSecret: true))
    }
    var sources = [
      Source(
        snapshot: InMemoryProvider(values: Dictionary(uniqueKeysWithValues: values)).snapshot(), prefix: [],
        origin: { "--\($0)" }, emptyIsUnset: false),
      Source(
        snapshot: EnvironmentVariablesProvider(environmentVariables: environment, secretsSpecifier: .all).snapshot(),
        prefix: ["comanda"], origin: { $0 }, emptyIsUnset: true),
    ]
    if let path = file ?? environment["COMANDA_CONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) {
      sources.append(
        Source(
          snapshot: try Self.readFile(path), prefix: [], origin: { "\"\($0)\" in \(path)" }, emptyIsUnset: false))
    }
    self.sources = sources
  }

  /// The value that counts for the key, or nil when none was given.
  func setting(_ key: SettingKey) throws -> Setting? {
    for (rank, source) in sources.enumerated() {
      let absoluteKey = AbsoluteConfigKey(source.prefix + [key.rawValue], context: [:])
      let result: LookupResult
      do {
        result = try source.snapshot.value(forKey: absoluteKey, type: .string)
      } catch {
        throw ConfigurationError("\(source.origin(key.rawValue)): the value has to be a string, in quotes")
      }
      guard case .string(let value) = result.value?.content, !(value.isEmpty && source.emptyIsUnset) else { continue }
      return Setting(value: value, origin: source.origin(result.encodedKey), rank: rank)
    }
    return nil
  }

  private static func readFile(_ path: String) throws -> any ConfigSnapshot {
    let known = SettingKey.allCases.map(\.rawValue)
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw ConfigurationError("the configuration file \(path) cannot be read: does it exist, and may we read it?")
    }
    guard data.count <= fileLimit, let keys = try? JSONDecoder().decode([String: Ignored].self, from: data).keys else {
      throw ConfigurationError(
        "the configuration file \(path) is no JSON object of strings, like {\"listen\": \"0.0.0.0:7443\"}")
    }
    if let unknown = keys.filter({ !known.contains($0) }).min() {
      throw ConfigurationError(
        "the configuration file \(path) has the unknown key \"\(unknown)\"; known are \(known.joined(separator: ", "))")
    }
    return try JSONSnapshot(
      data: data.bytes, providerName: path, parsingOptions: JSONSnapshot.ParsingOptions(secretsSpecifier: .all))
  }

  /// Any JSON value, not looked at.
  private struct Ignored: Decodable {
    init(from decoder: any Decoder) {}
  }
}
