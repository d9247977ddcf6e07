import NIOCore

/// TLS 1.3 in a channel's pipeline, next to the socket: a shell around ``TLSEngine``.
///
/// 1. `channelActive` passes at once; ``TLSHandshakeCompleted`` follows as a user event when the handshake has ended.
///    What is written before that is held back, up to a limit.
/// 2. Each ciphertext read becomes one plaintext read (a second one if it completes a record that began before it; more
///    beyond 256 KiB).
/// 3. What is written between two flushes leaves in as few records as possible, as one buffer, at the flush.
/// 4. `close` sends `close_notify`, lets it arrive, and closes; so does a peer's `close_notify`. There is no half-close.
/// 5. An error sends its alert, is fired through the pipeline as a ``TLSError``, and closes the channel. The end of the
///    stream without `close_notify` is ``TLSError/truncated``, fired before `channelInactive`.
public final class TLSHandler: ChannelDuplexHandler {
  /// Ciphertext from the socket.
  public typealias InboundIn = ByteBuffer
  /// Plaintext for the next handler.
  public typealias InboundOut = ByteBuffer
  /// Plaintext from the next handler.
  public typealias OutboundIn = ByteBuffer
  /// Ciphertext for the socket.
  public typealias OutboundOut = ByteBuffer

  /// Bounds of a connection.
  public struct Limits: Sendable {
    /// The longest a handshake may take from the start of the connection.
    public var handshakeTime: TimeAmount = .seconds(10)
    /// The longest that a close waits for its last bytes to leave and for the peer to close too. Closing at once would
    /// reset the connection if the peer is still sending, and the peer could lose what it had not read yet.
    public var closeTime: TimeAmount = .seconds(1)
    /// The most bytes held back until the handshake is complete.
    public var heldBackByteCount = 256 << 10

    /// The defaults above.
    public init() {}
  }

  private enum State {
    /// The channel is not active yet.
    case idle
    case handshaking
    case open
    /// Nothing is accepted any more, in either direction; the last bytes are leaving.
    case closing
    case closed
  }

  private static let deliveryLimit = 256 << 10
  private static let recordLimit = 16_384

  private let engine: TLSEngine
  private let limits: Limits
  private var state = State.idle
  /// Written but not encrypted: the bytes of less than a record, or all that is held back during the handshake.
  private var staged = ByteBuffer()
  /// Completes with the next buffer of ciphertext, which has all that was written before.
  private var writePromise: EventLoopPromise<Void>?
  /// Completes when the channel is closed.
  private var closePromise: EventLoopPromise<Void>?
  private var isFlushHeldBack = false
  private var hasDelivered = false
  private var timer: Scheduled<Void>?

  /// Makes the handler of one connection.
  ///
  /// - Parameters:
  ///   - context: The context of this event loop.
  ///   - serverName: What a client expects, a DNS name or an IP address; nil on a server.
  public init(context: TLSContext, serverName: String? = nil, limits: Limits = Limits()) throws(TLSError) {
    engine = try TLSEngine(context: context, serverName: serverName)
    self.limits = limits
  }

  // MARK: Lifetime

  /// Starts at once in a channel that is active already.
  public func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive {
      start(context)
    }
  }

  /// Fails what was not sent.
  public func handlerRemoved(context: ChannelHandlerContext) {
    end(.closed)
  }

  /// Starts the handshake; a client sends its ClientHello.
  public func channelActive(context: ChannelHandlerContext) {
    start(context)
    context.fireChannelActive()
  }

  /// Tells a proper end of the stream from one that was cut.
  public func channelInactive(context: ChannelHandlerContext) {
    let error: TLSError? =
      switch state {
      case .handshaking: .closedDuringHandshake
      case .open: engine.isClosedByPeer ? nil : .truncated
      case .idle, .closing, .closed: nil
      }
    end(error ?? .closed)
    if let error {
      context.fireErrorCaught(error)
    }
    context.fireChannelInactive()
  }

  private func start(_ context: ChannelHandlerContext) {
    guard state == .idle else { return }
    state = .handshaking
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: limits.handshakeTime) {
      self.fail(.handshakeTimeout, context)
    }
    advanceHandshake(context)
  }

  /// Forgets what would keep the handler or its promises waiting.
  private func end(_ error: TLSError) {
    state = .closed
    timer?.cancel()
    timer = nil
    dropStaged(error)
    closePromise?.succeed()
    closePromise = nil
  }

  // MARK: Inbound

  /// Decrypts.
  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch state {
    case .handshaking:
      engine.receive(ciphertext: unwrapInboundIn(data))
      advanceHandshake(context)
      deliver(context)
    case .open:
      engine.receive(ciphertext: unwrapInboundIn(data))
      deliver(context)
    case .idle, .closing, .closed:
      break
    }
  }

  /// Asks for more if the bytes that came held nothing for the next handler.
  public func channelReadComplete(context: ChannelHandlerContext) {
    // Without automatic reads the next handler waits for what it asked for, while this one used it up itself.
    if !hasDelivered, state == .handshaking || state == .open {
      context.read()
    }
    hasDelivered = false
    context.fireChannelReadComplete()
  }

  /// Treats a half-closed connection as cut, since no `close_notify` came before.
  public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent {
      switch state {
      case .handshaking: fail(.closedDuringHandshake, context)
      case .open: fail(.truncated, context)
      case .idle, .closing, .closed: break
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  private func advanceHandshake(_ context: ChannelHandlerContext) {
    do throws(TLSError) {
      guard let handshake = try engine.handshake() else {
        send(context)
        return
      }
      state = .open
      timer?.cancel()
      timer = nil
      // What was held back leaves together with the last message of the handshake.
      if isFlushHeldBack {
        try encryptStaged()
      }
      send(context)
      context.fireUserInboundEventTriggered(TLSHandshakeCompleted(handshake: handshake))
    } catch {
      fail(error, context)
    }
  }

  private func deliver(_ context: ChannelHandlerContext) {
    // What is fired up may come back as a write, a read or a close, so the state is looked at each time.
    while state == .open {
      do throws(TLSError) {
        var plaintext = ByteBuffer()
        switch try engine.read(into: &plaintext, atMost: TLSHandler.deliveryLimit) {
        case .bytes:
          hasDelivered = true
          context.fireChannelRead(wrapInboundOut(plaintext))
        case .wouldBlock:
          return
        case .closed:
          dropStaged(.closed)
          close(context, lingers: false)
        }
      } catch {
        fail(error, context)
      }
    }
  }

  // MARK: Outbound

  /// Takes plaintext; encrypts it when a record is full, and the rest at the flush.
  public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let plaintext = unwrapOutboundIn(data)
    do throws(TLSError) {
      switch state {
      case .idle, .handshaking:
        guard staged.readableBytes + plaintext.readableBytes <= limits.heldBackByteCount else {
          throw .tooMuchHeldBack(limit: limits.heldBackByteCount)
        }
        stage(plaintext)
      case .open:
        if staged.readableBytes + plaintext.readableBytes > TLSHandler.recordLimit {
          try encryptStaged()
        }
        if plaintext.readableBytes > TLSHandler.recordLimit {
          try engine.write(plaintext)
        } else {
          stage(plaintext)
        }
      case .closing, .closed:
        promise?.fail(TLSError.closed)
        return
      }
      joinWrite(promise)
    } catch {
      promise?.fail(error)
      fail(error, context)
    }
  }

  /// Sends everything written so far; during the handshake, as soon as it is complete.
  public func flush(context: ChannelHandlerContext) {
    switch state {
    case .idle, .handshaking:
      isFlushHeldBack = true
    case .open:
      do throws(TLSError) {
        try encryptStaged()
        send(context)
      } catch {
        fail(error, context)
      }
    case .closing, .closed:
      context.flush()
    }
  }

  /// Sends what was written, then `close_notify`, then closes.
  public func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all else {
      promise?.fail(ChannelError.operationUnsupported)
      return
    }
    switch state {
    case .open:
      do throws(TLSError) {
        try encryptStaged()
        joinClose(promise)
        close(context, lingers: true)
      } catch {
        promise?.fail(error)
        fail(error, context)
      }
    case .closing:
      joinClose(promise)
    case .idle, .handshaking, .closed:
      end(.closed)
      context.close(promise: promise)
    }
  }

  private func stage(_ plaintext: ByteBuffer) {
    if staged.readableBytes == 0 {
      staged = plaintext
    } else {
      staged.writeImmutableBuffer(plaintext)
    }
  }

  private func joinWrite(_ promise: EventLoopPromise<Void>?) {
    guard let promise else { return }
    if let writePromise {
      writePromise.futureResult.cascade(to: promise)
    } else {
      writePromise = promise
    }
  }

  private func joinClose(_ promise: EventLoopPromise<Void>?) {
    guard let promise else { return }
    if let closePromise {
      closePromise.futureResult.cascade(to: promise)
    } else {
      closePromise = promise
    }
  }

  private func encryptStaged() throws(TLSError) {
    guard staged.readableBytes > 0 else { return }
    defer { staged = ByteBuffer() }
    try engine.write(staged)
  }

  private func dropStaged(_ error: TLSError) {
    staged = ByteBuffer()
    let promise = writePromise
    writePromise = nil
    promise?.fail(error)
  }

  /// Sends the ciphertext that there is.
  private func send(_ context: ChannelHandlerContext) {
    // A handshake's messages must not complete writes that are still held back.
    let promise = staged.readableBytes == 0 ? writePromise : nil
    if promise != nil {
      writePromise = nil
    }
    if let ciphertext = engine.takeCiphertext() {
      context.writeAndFlush(wrapOutboundOut(ciphertext), promise: promise)
    } else {
      promise?.succeed()
      context.flush()
    }
  }

  // MARK: End

  private func fail(_ error: TLSError, _ context: ChannelHandlerContext) {
    guard state != .closing, state != .closed else { return }
    end(error)
    state = .closing
    context.fireErrorCaught(error)
    if state == .closing {
      close(context, lingers: false)
    }
  }

  /// Sends `close_notify`, or the alert that is waiting, and closes the channel when it has left.
  ///
  /// - Parameter lingers: Whether to let the peer close first, in the time allowed.
  private func close(_ context: ChannelHandlerContext, lingers: Bool) {
    state = .closing
    engine.close()
    let sent = context.eventLoop.makePromise(of: Void.self)
    if let promise = writePromise {
      writePromise = nil
      sent.futureResult.cascade(to: promise)
    }
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: limits.closeTime) {
      self.closeChannel(context)
    }
    sent.futureResult.assumeIsolated().whenComplete { result in
      if case .success = result, lingers, self.state == .closing {
        self.closeOutput(context)
      } else {
        self.closeChannel(context)
      }
    }
    if let ciphertext = engine.takeCiphertext() {
      context.writeAndFlush(wrapOutboundOut(ciphertext), promise: sent)
    } else {
      sent.succeed()
    }
  }

  private func closeOutput(_ context: ChannelHandlerContext) {
    let shut = context.eventLoop.makePromise(of: Void.self)
    shut.futureResult.assumeIsolated().whenFailure { _ in
      // Not every channel can be closed in one direction.
      self.closeChannel(context)
    }
    context.close(mode: .output, promise: shut)
  }

  private func closeChannel(_ context: ChannelHandlerContext) {
    guard state == .closing else { return }
    state = .closed
    let promise = closePromise
    closePromise = nil
    context.close(promise: promise)
  }
}
