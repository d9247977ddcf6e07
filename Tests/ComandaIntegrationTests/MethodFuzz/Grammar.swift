import ComandaProtos
import ComandaRPC

/// Every method that there is, with what the schema says of its requests.
struct FuzzedMethod {
  let descriptor: MethodDescriptor
  let request: MessageBounds

  static let all: [FuzzedMethod] =
    Comanda_V1_OrderService.Method.all.map(Self.init) + Comanda_V1_BatchImportService.Method.all.map(Self.init)
    + Comanda_V1_HealthService.Method.all.map(Self.init) + Comanda_V1_PaymentService.Method.all.map(Self.init)
    + Comanda_V1_NotificationService.Method.all.map(Self.init)
    + ["comanda.v1.OrderService/Drop", "comanda.v1.OrderService/", "/", "\u{0}", "x"].map(Self.init(unknown:))

  /// A method of the schema.
  init(_ descriptor: MethodDescriptor) {
    self.descriptor = descriptor
    let shape = "comanda.v1.\(descriptor.name)Request"
    request = MessageBounds.requests.first { $0.message == shape } ?? .outlined
  }

  /// A method that there is not.
  private init(unknown path: String) {
    let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    descriptor = MethodDescriptor(service: parts[0], name: parts.count == 2 ? parts[1] : "", kind: .unary)
    request = .outlined
  }
}

extension MessageBounds {
  /// Requests of the methods that are offered, or will be soon.
  fileprivate static let requests = [
    Comanda_V1_CreateOrderRequest.bounds, Comanda_V1_BatchCreateOrdersRequest.bounds,
    Comanda_V1_GetOrderRequest.bounds, Comanda_V1_BatchGetOrdersRequest.bounds, Comanda_V1_ListOrdersRequest.bounds,
    Comanda_V1_UpdateOrderStatusRequest.bounds, Comanda_V1_CancelOrderRequest.bounds,
    Comanda_V1_ListOrderEventsRequest.bounds, Comanda_V1_GetOrderStatisticsRequest.bounds,
    Comanda_V1_WatchOrdersRequest.bounds, Comanda_V1_AcknowledgeOrdersRequest.bounds,
    Comanda_V1_CreateImportRequest.bounds, uploadRows, Comanda_V1_WatchImportRequest.bounds,
    Comanda_V1_GetImportRequest.bounds, Comanda_V1_ListImportsRequest.bounds,
    Comanda_V1_ListImportRowsRequest.bounds, Comanda_V1_PauseImportRequest.bounds,
    Comanda_V1_ResumeImportRequest.bounds, Comanda_V1_CancelImportRequest.bounds,
    Comanda_V1_RetryImportRowsRequest.bounds, Comanda_V1_RevertImportRequest.bounds,
    Comanda_V1_DownloadReportRequest.bounds, Comanda_V1_GetHealthRequest.bounds, Comanda_V1_WatchHealthRequest.bounds,
  ]

  /// Requests of services that are there in outline only: the schema bounds none of their fields yet.
  fileprivate static let outlined = MessageBounds(
    "comanda.v1.Outlined",
    [
      .init(1, "request_id", .text(maxLength: 64)), .init(2, "payment", .message(Comanda_V1_OrderDraft.bounds)),
      .init(3, "amount", .varint), .init(4, "reason", .text(maxLength: 500)),
    ])

  /// A message of an upload. Its generated form has no bounds, since the server checks it in another way.
  private static let uploadRows = MessageBounds(
    "comanda.v1.UploadRowsRequest",
    [
      .init(
        1, "chunk",
        .message(
          MessageBounds(
            "comanda.v1.RowChunk",
            [
              .init(1, "import_id", .text(maxLength: 36)), .init(2, "first_row", .varint),
              .init(3, "rows", .bytes(maxLength: 256 << 10)), .init(4, "rows_crc32c", .fixed32),
            ]))),
      .init(
        2, "finish",
        .message(
          MessageBounds(
            "comanda.v1.FinishUpload",
            [
              .init(1, "import_id", .text(maxLength: 36)), .init(2, "total_rows", .varint),
              .init(3, "file_sha256", .bytes(maxLength: 32)),
            ]))),
    ])

  /// A row of an upload.
  static let importRow = MessageBounds(
    "comanda.v1.ImportRow",
    [
      .init(1, "order", .message(Comanda_V1_OrderDraft.bounds)),
      .init(
        2, "unreadable",
        .message(
          MessageBounds(
            "comanda.v1.UnreadableRow",
            [
              .init(1, "external_id", .text(maxLength: 64)),
              .init(
                2, "problems",
                .message(
                  MessageBounds(
                    "comanda.v1.RowProblem",
                    [
                      .init(1, "code", .text(maxLength: 63)), .init(2, "field", .text(maxLength: 200)),
                      .init(3, "message", .text(maxLength: 500)), .init(4, "line", .varint),
                    ])), maxCount: 20),
            ]))),
      .init(
        3, "lines",
        .message(
          MessageBounds(
            "comanda.v1.SourceLine", [.init(1, "number", .varint), .init(2, "raw", .bytes(maxLength: 1_000))])),
        maxCount: 1_000),
    ])
}
