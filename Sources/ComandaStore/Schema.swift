public import ComandaPostgres

/// The database schema of the platform.
public enum Schema {
  /// All migrations, in the order in which they are applied. A released one never changes.
  public static let migrations: [Migration] = [
    migration("m0001_identity", PackageResources.m0001_identity_sql),
    migration("m0002_orders", PackageResources.m0002_orders_sql),
    migration("m0003_imports", PackageResources.m0003_imports_sql),
    migration("m0004_statistics", PackageResources.m0004_statistics_sql),
  ]

  /// A query that names every rule which the data breaks, and how often: columns `rule` (text) and `broken` (bigint), no
  /// row when all is well. It reads whole tables; for tests and audits.
  public static let integrityCheck = String(decoding: PackageResources.check_integrity_sql, as: UTF8.self)

  /// Tables that are the same on every node of a cluster; all others are distributed by `business_id`.
  public static let referenceTables = ["tokens"]

  private static func migration(_ name: String, _ file: [UInt8]) -> Migration {
    Migration(name: name, sql: String(decoding: file, as: UTF8.self))
  }
}
