import CoreMetrics
import Synchronization

/// A backend for swift-metrics that costs what a real one costs a call: an atomic addition or two.
struct AtomicMetrics: MetricsFactory {
  private final class Count: CounterHandler, Sendable {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }
  }

  private final class Times: TimerHandler, Sendable {
    private let count = Atomic<Int64>(0)
    private let sum = Atomic<Int64>(0)

    func recordNanoseconds(_ duration: Int64) {
      count.wrappingAdd(1, ordering: .relaxed)
      sum.wrappingAdd(duration, ordering: .relaxed)
    }
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { Count() }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { Times() }

  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    NOOPMetricsHandler.instance.makeRecorder(label: label, dimensions: dimensions, aggregate: aggregate)
  }

  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
}
