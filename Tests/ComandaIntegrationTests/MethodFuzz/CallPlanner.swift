import ComandaRPC

/// Makes calls out of a seed: the same ones again, as far as they do not speak of ids that the server makes up.
struct CallPlanner {
  let seed: UInt64
  let known: KnownThings
  /// The ids of the two businesses that call.
  let businesses: (first: String, other: String)

  /// Most methods are called equally often. Those by which things come about are called more, and those that only say
  /// that they are not there less.
  private static let weighted = FuzzedMethod.all.flatMap { method in
    let weight =
      switch method.descriptor.name {
      case "CreateOrder": 24
      case "UploadRows", "UpdateOrderStatus": 16
      default: NamedStatuses.isOffered(method.descriptor) ? 8 : 1
      }
    return Array(repeating: method, count: weight)
  }

  /// The call of a number.
  func call(_ number: Int) -> FuzzCall {
    var random = SeededRandom(seed: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95)
    var values = FieldValues(random: random, known: known)
    var method = values.one(of: Self.weighted)
    let faultShare = values.one(of: [0, 0, 0.01, 0.05, 0.3, 0.9])
    random = SeededRandom(seed: values.random.next())
    var generator = MessageGenerator(random, known: known, faultShare: faultShare)
    var (messages, fields, importID): ([[UInt8]], [[UInt8]], String?) = ([], [], nil)
    if method.descriptor.kind == .clientStreaming, !values.chance(0.1) {
      var script = UploadScript(generator)
      (messages, importID) = (script.messages(), script.importID)
    } else {
      (method, fields) = request(method, &values, &generator)
      if values.chance(0.12) {
        messages = [generator.broken(fields.flatMap { $0 })]
        fields = []
      } else {
        messages = [fields.flatMap { $0 }]
      }
    }
    let caller: FuzzCaller = values.chance(0.75) ? .business : values.one(of: FuzzCaller.allCases)
    let (metadata, business) = metadata(caller, &values)
    return FuzzCall(
      seed: seed, number: number, caller: caller, business: business, method: method.descriptor, messages: messages,
      fields: fields, importID: importID, metadata: metadata, timeout: timeout(method.descriptor, &values),
      patience: values.chance(0.05) ? .microseconds(Int.random(in: 0...20_000, using: &values.random)) : nil,
      endsRequests: !values.chance(0.1))
  }

  /// A new request, one that was answered well before, or the next page of a list.
  private func request(
    _ method: FuzzedMethod, _ values: inout FieldValues, _ generator: inout MessageGenerator
  ) -> (FuzzedMethod, [[UInt8]]) {
    if values.chance(0.06), let answered = known.answered(&values.random),
      let method = FuzzedMethod.all.first(where: { $0.descriptor == answered.method })
    {
      var fields = answered.fields
      // The same again, or with one field of another request.
      if values.chance(0.4), let other = generator.fields(method.request).randomElement(using: &values.random) {
        fields[Int.random(in: fields.indices, using: &values.random)] = other
      }
      return (method, fields)
    }
    if values.chance(0.04), let page = known.page(&values.random),
      let method = FuzzedMethod.all.first(where: { $0.descriptor == page.request.method }),
      let number = method.request.fields.first(where: { $0.name == "page_token" })?.number
    {
      let token = values.chance(0.5) ? values.alteredToken() : page.token
      let others = page.request.fields.filter { $0.first != ProtobufField.delimited(number, []).first }
      return (method, others + [ProtobufField.delimited(number, Array(token.utf8))])
    }
    return (method, generator.fields(method.request))
  }

  /// The metadata, and the business that the call works on with it.
  private func metadata(_ caller: FuzzCaller, _ values: inout FieldValues) -> (Metadata, String?) {
    var (metadata, business): (Metadata, String?) = ([:], nil)
    switch caller {
    case .business, .reader: business = businesses.first
    case .otherBusiness: business = businesses.other
    case .stranger, .forger: break
    case .internalService:
      // Now and then none, or one that there is not.
      if values.chance(0.05) { break }
      let named = values.chance(0.05) ? values.uuid() : values.one(of: [businesses.first, businesses.other])
      metadata.append(key: "comanda-business", value: named)
      business = named
    }
    guard values.chance(0.05) else { return (metadata, business) }
    let value = String(decoding: values.extremeText(limit: 64).prefix(4_000), as: UTF8.self)
    metadata.append(
      key: values.one(of: ["comanda-business", "authorization", "request-id", "retry-after-ms", "x", "..."]),
      value: values.one(of: [value, "Bearer \(value)", "bearer ", businesses.other, "0"]))
    return (metadata, business)
  }

  private func timeout(_ method: MethodDescriptor, _ values: inout FieldValues) -> Duration {
    if values.chance(0.05) { return .microseconds(values.one(of: [0, 1, 1_000, 5_000, 20_000])) }
    if method.kind == .serverStreaming { return .milliseconds(values.one(of: [1, 50, 300])) }
    return FuzzCall.ample
  }
}
