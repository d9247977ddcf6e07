import Testing

@testable import ComandaWire

@Suite("Two sides, simulated")
struct SimulationTests {
  private static let stepsPerSeed = 15_000

  @Test("two correct sides never disagree, lose nothing, and end with all credit returned", arguments: Seeds.some(8))
  func simulation(seed: UInt64) throws {
    let simulation = ConnectionSimulation(seed: seed)
    try simulation.run(steps: Self.stepsPerSeed)
    try simulation.settle()
    #expect(simulation.messagesReceived > 500, "seed \(seed)")
    print(
      "simulation: \(simulation.messagesReceived) messages, \(simulation.bytesReceived >> 20) MiB,",
      "COMANDA_TEST_SEED=\(seed)")
  }
}
