import ComandaRPC

/// Gives calls that name no deadline two minutes in place of their method's few seconds: how fast a busy machine answers
/// is not what these tests are about.
struct Patience: ClientInterceptor {
  func callStarts(_ context: inout ClientCallContext) {
    if context.options.timeout == nil, context.method.defaultDeadline != nil {
      context.options.timeout = .seconds(120)
    }
  }
}
