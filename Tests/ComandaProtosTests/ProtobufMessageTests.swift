import ComandaProtos
import ComandaRPC
import NIOCore
import SwiftProtobuf
import Testing

extension Google_Protobuf_Value: RPCMessage {}

@Suite("Messages in calls")
struct ProtobufMessageTests {
  @Test("a message comes back as it went")
  func roundTrip() throws {
    let order = Comanda_V1_Order.with {
      $0.orderID = "0190e4a1-0000-7000-8000-000000000001"
      $0.items = [.with { $0.totalMinor = 0 }]
      $0.delivery.address = "千代田区 1-1"
    }
    #expect(try Comanda_V1_Order(rpcBytes: order.rpcBytes()) == order)
    #expect(try Comanda_V1_Order().rpcBytes().readableBytes == 0)
  }

  @Test("what does not decode is INVALID_ARGUMENT and names the message")
  func malformed() {
    let cut = ByteBuffer(bytes: [0x0A, 0x05])
    let error = #expect(throws: RPCError.self) { try Comanda_V1_GetOrderRequest(rpcBytes: cut) }
    #expect(error?.code == .invalidArgument)
    let expected = "the bytes are no valid comanda.v1.GetOrderRequest: they end in the middle of a field"
    #expect(error?.message.hasPrefix(expected) == true)
  }

  @Test("messages nest 32 deep and no deeper")
  func depth() throws {
    // A value in a list in a value: two messages a level.
    func nested(_ levels: Int) -> Google_Protobuf_Value {
      (0..<levels).reduce(Google_Protobuf_Value(boolValue: true)) { inner, _ in
        .with { $0.listValue.values = [inner] }
      }
    }
    #expect(try Google_Protobuf_Value(rpcBytes: nested(15).rpcBytes()) == nested(15))
    #expect(throws: RPCError.self) { try Google_Protobuf_Value(rpcBytes: nested(17).rpcBytes()) }
  }

  @Test("a recursion bomb of groups or of messages, 4 MiB of it, is refused, and costs neither stack nor time")
  func recursionBombs() {
    for tag in [UInt8(0x0B), 0x0A, 0x12] {
      let bomb = ByteBuffer(repeating: tag, count: 4 << 20)
      #expect(throws: RPCError.self) { try Comanda_V1_CreateOrderRequest(rpcBytes: bomb) }
      #expect(throws: RPCError.self) { try Google_Protobuf_Value(rpcBytes: bomb) }
    }
    // From the inside out, so written backwards: a list in a value in a list…, each with its right length.
    var nested: [UInt8] = []
    for level in 0...100_000 { nested += ([level.isMultiple(of: 2) ? 0x32 : 0x0A] + length(nested.count)).reversed() }
    #expect(throws: RPCError.self) { try Google_Protobuf_Value(rpcBytes: ByteBuffer(bytes: nested.reversed())) }
  }

  /// A length as a varint.
  private func length(_ count: Int) -> [UInt8] {
    count < 128 ? [UInt8(count)] : [UInt8(truncatingIfNeeded: count) | 0x80] + length(count >> 7)
  }

  @Test("fields that this schema does not know are dropped")
  func unknownFields() throws {
    let bytes = ByteBuffer(bytes: [0x0A, 0x01, 0x41, 0xFA, 0x7F, 0x01, 0x42])
    let request = try Comanda_V1_GetOrderRequest(rpcBytes: bytes)
    #expect(request == .with { $0.orderID = "A" })
  }
}
