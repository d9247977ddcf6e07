import CImportRows
import Testing

@Suite("The memory of unpacked messages")
struct UnpackArenaTests {
  private func allocate(_ arena: OpaquePointer, _ size: Int) -> UnsafeMutableRawPointer? {
    guard let allocator = unpack_arena_allocator(arena) else { return nil }
    return allocator.pointee.alloc(allocator.pointee.allocator_data, size)
  }

  @Test("pieces are aligned, apart from each other, and all usable")
  func pieces() throws {
    let arena = try #require(unpack_arena_create(1 << 20))
    defer { unpack_arena_destroy(arena) }
    var pieces: [(UnsafeMutableRawPointer, Int)] = []
    for size in [1, 16, 17, 0, 300_000, 5, 100_000, 200_000] {
      let piece = try #require(allocate(arena, size))
      #expect(Int(bitPattern: piece) % 16 == 0)
      piece.initializeMemory(as: UInt8.self, repeating: UInt8(pieces.count), count: size)
      pieces.append((piece, size))
    }
    for (index, (piece, size)) in pieces.enumerated() {
      #expect(UnsafeRawBufferPointer(start: piece, count: size).allSatisfy { $0 == UInt8(index) })
    }
  }

  @Test("beyond the limit there is nothing, until a reset")
  func limit() throws {
    let arena = try #require(unpack_arena_create(100_000))
    defer { unpack_arena_destroy(arena) }
    #expect(allocate(arena, 60_000) != nil)
    #expect(allocate(arena, 60_000) == nil)
    #expect(allocate(arena, Int.max) == nil)
    unpack_arena_reset(arena)
    #expect(allocate(arena, 60_000) != nil)
  }

  @Test("an ordinary chunk's memory is kept, an extraordinary one's returned")
  func capacity() throws {
    let arena = try #require(unpack_arena_create(64 << 20))
    defer { unpack_arena_destroy(arena) }
    for _ in 0..<5 { #expect(allocate(arena, 250_000) != nil) }
    let ordinary = unpack_arena_capacity(arena)
    unpack_arena_reset(arena)
    #expect(unpack_arena_capacity(arena) == ordinary)
    for _ in 0..<5 { #expect(allocate(arena, 250_000) != nil) }
    #expect(unpack_arena_capacity(arena) == ordinary)
    #expect(allocate(arena, 20 << 20) != nil)
    unpack_arena_reset(arena)
    #expect(unpack_arena_capacity(arena) <= 2 << 20)
  }
}
