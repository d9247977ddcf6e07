import Glibc
import Logging

extension PoolDriver {
  func connect(_ slot: Int) {
    let parameters = configuration.connectParameters(statementTimeout: pool.statementTimeout(of: slot))
    Connector.connect(parameters, timeout: configuration.connectTimeout, abort: poller.aborted) { [reactor] result in
      if !reactor.post(.connected(slot: slot, result)) { result.dispose() }
    }
  }

  func connected(_ slot: Int, _ result: Result<Connector.Connected, PostgresError>) {
    switch result {
    case .success(let connected):
      guard pool.connected(slot) else { return result.dispose() }
      if connectError != nil { logger.info("the database is back") }
      connectError = nil
      let connection = LibPQConnection(
        connected, slot: slot, isShared: pool.isPipelined(slot), scratch: scratch, logger: logger, now: now)
      slots[slot].serial &+= 1
      slots[slot].connection = connection
      slots[slot].interest = Poller.Interest()
      if !poller.add(connection.descriptor, key: key(of: slot), slots[slot].interest) {
        connection.fail(with: PostgresError(.unavailable, "epoll refused the database socket: errno \(errno)"))
      }
    case .failure(let error):
      if connectError == nil {
        logger.warning(
          "the database cannot be reached, trying again until it can",
          metadata: ["sqlstate": "\(error.sqlState?.code ?? "-")", "detail": "\(error.detailForLog ?? error.message)"])
      }
      connectError = error
      let isPermanent = error.sqlState?.isPermanentConnectFailure ?? false
      let unserved = pool.connectFailed(
        slot, permanent: isPermanent, now: now, jitter: Double.random(in: 0..<1, using: &random))
      refuse(unserved, error)
    }
  }

  /// Closes a slot's connection, if it has one.
  func discard(_ slot: Int, _ reason: PostgresError) {
    guard let connection = slots[slot].connection else { return }
    connection.fail(with: reason)
    for call in connection.takeEnded() { call.end() }
    for call in slots[slot].reads { call.fail(.connectionLost(outcomeUnknown: false, cause: reason)) }
    slots[slot].reads.removeAll()
    slots[slot].connection = nil
    slots[slot].serial &+= 1
    poller.remove(connection.descriptor)
    connection.close()
  }

  func key(of slot: Int) -> UInt64 {
    UInt64(slots[slot].serial) << 32 | UInt64(slot)
  }

  func updateInterest(_ slot: Int) {
    guard let connection = slots[slot].connection, connection.failure == nil else { return }
    let interest = Poller.Interest(read: !connection.isPaused, write: connection.wantsWrite)
    guard interest != slots[slot].interest else { return }
    slots[slot].interest = interest
    if !poller.modify(connection.descriptor, key: key(of: slot), interest) {
      connection.fail(with: PostgresError(.unavailable, "epoll refused the database socket: errno \(errno)"))
    }
  }

  func handle(_ event: Poller.Event) {
    let slot = Int(truncatingIfNeeded: event.key & 0xffff_ffff)
    guard slots.indices.contains(slot), key(of: slot) == event.key, let connection = slots[slot].connection else {
      return
    }
    if event.isWritable { connection.writable() }
    if event.isReadable { connection.receive(now: now) }
    updateInterest(slot)
  }
}

extension Result<Connector.Connected, PostgresError> {
  /// Closes a connection that nobody wants.
  fileprivate func dispose() {
    if case .success(let connected) = self { connected.close() }
  }
}
