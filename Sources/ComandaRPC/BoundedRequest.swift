/// A request message whose bounds the schema states. They are checked before the message is decoded.
public protocol BoundedRequest: RPCMessage {
  /// What its fields may hold.
  static var bounds: MessageBounds { get }
}
