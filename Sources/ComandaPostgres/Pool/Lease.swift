import FoundationEssentials

/// One caller's hold on one leased connection.
///
/// Sendable: `slot` is touched by the reactor's thread alone.
final class Lease: @unchecked Sendable {
  let lane: LeasedLane
  let tenant: Tenant
  /// Ends when a connection is there, or with the reason why none is.
  let granted = OneShot<Void>()
  /// Which connection it holds; nil before it is granted and after it is given back.
  var slot: Int?

  init(_ lane: LeasedLane, _ tenant: Tenant) {
    self.lane = lane
    self.tenant = tenant
  }
}
