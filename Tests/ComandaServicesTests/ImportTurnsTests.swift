import ComandaDomain
import Foundation
import Testing

@testable import ComandaServices

@Suite("Turns of businesses at the workers that apply imports")
struct ImportTurnsTests {
  private func business(_ number: UInt64) -> BusinessID {
    BusinessID(UUID(high: 0, low: number))
  }

  private func next(_ turns: inout ImportTurns) throws -> ImportTurns.Turn {
    let turn = turns.next()
    return try #require(turn)
  }

  @Test("a business that comes last has its turn after one turn of each other, however much they have")
  func newcomer() throws {
    var turns = ImportTurns(workers: 1)
    turns.found(business(1))
    turns.found(business(2))
    let first = try next(&turns)
    #expect(first.business == business(1))
    turns.rowsArrived(of: business(3))
    #expect(turns.next() == nil)
    turns.ended(first, .more)
    var order: [BusinessID] = []
    for _ in 0..<6 {
      guard let turn = turns.next() else { break }
      order.append(turn.business)
      turns.ended(turn, .more)
    }
    #expect(order == [2, 3, 1, 2, 3, 1].map(business))
  }

  @Test("a worker that nobody else needs joins a business at work, and leaves it when it finds nothing to do there")
  func width() throws {
    var turns = ImportTurns(workers: 3)
    turns.found(business(1))
    let one = try next(&turns)
    let two = try next(&turns)
    turns.ended(two, .nothing)
    #expect(turns.next() == nil, "its one import keeps one worker busy")
    turns.ended(one, .more)
    let next = try next(&turns)
    #expect(turns.next() == nil)
    turns.found(business(1))
    #expect(turns.next()?.business == business(1), "a sweep may have found another import of it")
    turns.ended(next, .more)
  }

  @Test("a turn that found nothing while another held the business's import does not end the business's work")
  func nothingBesideAnother() throws {
    var turns = ImportTurns(workers: 2)
    turns.found(business(1))
    let one = try next(&turns)
    let two = try next(&turns)
    turns.ended(one, .more)
    turns.ended(two, .nothing)
    #expect(turns.next()?.business == business(1))
  }

  @Test("rows that arrive while a turn finds nothing are not forgotten")
  func newsMeanwhile() throws {
    var turns = ImportTurns(workers: 1)
    turns.found(business(1))
    let turn = try next(&turns)
    turns.rowsArrived(of: business(1))
    turns.ended(turn, .nothing)
    let again = try next(&turns)
    turns.ended(again, .nothing)
    #expect(turns.next() == nil)
  }

  @Test("a business whose turn failed waits until its work is found again, and holds up nobody")
  func failure() throws {
    var turns = ImportTurns(workers: 1)
    turns.found(business(1))
    turns.found(business(2))
    turns.ended(try next(&turns), .failed)
    let other = try next(&turns)
    #expect(other.business == business(2))
    turns.ended(other, .nothing)
    #expect(turns.next() == nil)
    turns.found(business(1))
    #expect(turns.next()?.business == business(1))
  }

  /// Businesses with imports that come and go, workers that take their time, in an order that a seed decides.
  @Test(
    "whatever comes, no business has two turns while another with work has none", arguments: 0..<40 as Range<UInt64>)
  func nobodyWaitsTwice(_ offset: UInt64) {
    var random = SeededGenerator(seed: testSeed &+ offset)
    let workers = Int.random(in: 1...4, using: &random)
    var turns = ImportTurns(workers: workers)
    /// Chunks that each business has in all, and what became of them.
    var chunks: [BusinessID: Int] = [:]
    var applied: [BusinessID: Int] = [:]
    var running: [ImportTurns.Turn] = []
    /// Turns that others have had since a business waits with nothing of it at work.
    var passed: [BusinessID: [BusinessID: Int]] = [:]

    func announce(_ business: BusinessID) {
      if passed[business] == nil, !running.contains(where: { $0.business == business }) { passed[business] = [:] }
    }
    for step in 0..<400 {
      let isLast = step >= 300
      switch Int.random(in: 0..<(isLast ? 2 : 3), using: &random) {
      case 0:
        guard let turn = turns.next() else { continue }
        running.append(turn)
        #expect(running.count <= workers)
        passed[turn.business] = nil
        for waiting in passed.keys {
          passed[waiting]?[turn.business, default: 0] += 1
          let turnsOfOther = passed[waiting]?[turn.business] ?? 0
          #expect(turnsOfOther <= 1, "COMANDA_TEST_SEED=\(testSeed)")
        }
      case 1:
        guard let index = running.indices.randomElement(using: &random) else { continue }
        let turn = running.remove(at: index)
        let left = chunks[turn.business, default: 0]
        if left > 0 {
          chunks[turn.business] = left - 1
          applied[turn.business, default: 0] += 1
          turns.ended(turn, .more)
          announce(turn.business)
        } else {
          turns.ended(turn, .nothing)
        }
      default:
        let business = business(UInt64.random(in: 1...6, using: &random))
        chunks[business, default: 0] += Int.random(in: 1...5, using: &random)
        if Bool.random(using: &random) { turns.found(business) } else { turns.rowsArrived(of: business) }
        announce(business)
      }
    }
    // Nothing is forgotten: whoever has chunks left gets turns until they are done.
    for turn in running {
      chunks[turn.business] = max(chunks[turn.business, default: 0] - 1, 0)
      turns.ended(turn, .more)
    }
    while let turn = turns.next() {
      let left = chunks[turn.business, default: 0]
      chunks[turn.business] = max(left - 1, 0)
      turns.ended(turn, left > 0 ? .more : .nothing)
    }
    #expect(chunks.values.allSatisfy { $0 == 0 }, "COMANDA_TEST_SEED=\(testSeed): \(chunks)")
  }
}
