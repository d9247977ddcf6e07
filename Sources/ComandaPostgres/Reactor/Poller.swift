import CLibPQ
import Glibc

/// epoll over the connections' sockets, with an eventfd to wake it.
///
/// Closes its descriptors when the last reference is gone, so that nobody writes into a number that means something
/// else by then.
final class Poller: Sendable {
  struct Event {
    let key: UInt64
    let isReadable: Bool
    let isWritable: Bool
  }

  struct Interest: Equatable {
    var read = true
    var write = false
  }

  /// Becomes readable, for ever, at ``abort()``.
  let aborted: Int32
  private let epoll: Int32
  private let wakeUp: Int32
  private static let wakeUpKey = UInt64.max

  /// Nil when the system has no descriptor to give; `errno` says why.
  init?() {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    wakeUp = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    aborted = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard epoll >= 0, wakeUp >= 0, aborted >= 0 else { return nil }
    guard change(EPOLL_CTL_ADD, wakeUp, Self.wakeUpKey, Interest()) else { return nil }
  }

  deinit {
    for descriptor in [epoll, wakeUp, aborted] where descriptor >= 0 { Glibc.close(descriptor) }
  }

  func add(_ descriptor: Int32, key: UInt64, _ interest: Interest) -> Bool {
    change(EPOLL_CTL_ADD, descriptor, key, interest)
  }

  func modify(_ descriptor: Int32, key: UInt64, _ interest: Interest) -> Bool {
    change(EPOLL_CTL_MOD, descriptor, key, interest)
  }

  func remove(_ descriptor: Int32) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
  }

  /// Ends the thread's wait, now or the next one.
  func wake() {
    eventfd_write(wakeUp, 1)
  }

  func abort() {
    eventfd_write(aborted, 1)
  }

  /// Waits for events; nil waits for ever.
  func wait(_ timeout: Duration?, _ events: inout [Event]) {
    events.removeAll(keepingCapacity: true)
    withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { buffer in
      let count = epoll_wait(epoll, buffer.baseAddress, Int32(buffer.count), timeout?.wholeMilliseconds ?? -1)
      for event in buffer.prefix(max(0, Int(count))) {
        if event.data.u64 == Self.wakeUpKey {
          var value: eventfd_t = 0
          eventfd_read(wakeUp, &value)
          continue
        }
        let failed = event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        events.append(
          Event(
            key: event.data.u64,
            isReadable: failed || event.events & EPOLLIN.rawValue != 0,
            isWritable: failed || event.events & EPOLLOUT.rawValue != 0))
      }
    }
  }

  private func change(_ operation: Int32, _ descriptor: Int32, _ key: UInt64, _ interest: Interest) -> Bool {
    var event = epoll_event()
    event.data.u64 = key
    if interest.read { event.events |= EPOLLIN.rawValue }
    if interest.write { event.events |= EPOLLOUT.rawValue }
    return epoll_ctl(epoll, operation, descriptor, &event) == 0
  }
}
