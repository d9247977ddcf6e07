import ComandaProtos
import SwiftProtobuf

/// The details that accompany a status: a reason for programs, facts, violations, and words for people.
enum ErrorDetails {
  /// Who defines the reasons.
  static let domain = "comanda.v1"

  /// Most bytes of the details of a status (WIRE.md, section 5): longer ones do not travel at all.
  private static let byteLimit = 4_096
  /// Most characters of a message; a sum of twenty violations is longer than anybody reads.
  private static let messageLength = 500

  /// The serialized `comanda.v1.ErrorDetails`. The last violations are left out where all would be too long; the metadata
  /// `omitted_violations` then says how many.
  static func bytes(
    reason: String, metadata: [String: String] = [:], violations: [Comanda_V1_FieldViolation] = [],
    english: String? = nil, retryAfter: Duration? = nil, resumeAfterSequence: Int64 = 0
  ) -> [UInt8] {
    var details = Comanda_V1_ErrorDetails()
    details.reason = reason
    details.domain = domain
    details.metadata = metadata
    details.violations = violations
    details.messages = messages(reason: reason, english: english)
    details.resumeAfterSequence = resumeAfterSequence
    if let retryAfter {
      details.retryDelay = Google_Protobuf_Duration(
        seconds: retryAfter.components.seconds,
        nanos: Int32(retryAfter.components.attoseconds / 1_000_000_000))  // bounded: less than a second
    }
    var omitted = 0
    while true {
      let bytes: [UInt8] = (try? details.serializedBytes()) ?? []
      if bytes.count <= byteLimit { return bytes }
      guard details.violations.popLast() != nil else { return [] }
      omitted += 1  // bounded: by the number of violations
      details.metadata["omitted_violations"] = String(omitted)
    }
  }

  private static func messages(reason: String, english: String?) -> [Comanda_V1_LocalizedMessage] {
    var messages: [Comanda_V1_LocalizedMessage] = []
    if let translation = japanese[reason] {
      messages.append(
        .with {
          $0.locale = "ja"
          $0.message = translation
        })
    }
    if let english {
      messages.append(
        .with {
          $0.locale = "en"
          $0.message = String(english.prefix(messageLength)) + (english.count > messageLength ? "…" : "")
        })
    }
    return messages
  }

  /// What each reason means to an end user, in Japanese.
  private static let japanese: [String: String] = [
    "CREDENTIAL_MISSING": "認証トークンが送信されていません。",
    "CREDENTIAL_UNKNOWN": "認証トークンが登録されていません。",
    "CREDENTIAL_ENDED": "認証トークンは失効しているか、有効期限が切れています。",
    "SCOPE_MISSING": "この操作を行う権限がありません。",
    "BUSINESS_FOREIGN": "他の事業者のデータは操作できません。",
    "BUSINESS_MISSING": "対象の事業者を指定してください。",
    "INVALID_FIELDS": "入力内容に誤りがあります。",
    "INVALID_PAGE_TOKEN": "ページトークンが正しくありません。",
    "ORDER_NOT_FOUND": "注文が見つかりません。",
    "IMPORT_NOT_FOUND": "インポートが見つかりません。",
    "IMPORTS_UNFINISHED": "未完了のインポートが上限に達しています。完了を待つか、いずれかを取り消してください。",
    "BUSINESS_NOT_FOUND": "事業者が見つかりません。",
    "TOKEN_NOT_FOUND": "トークンが見つかりません。",
    "ORDER_CONTENT_DIFFERS": "同じ注文番号で内容の異なる注文がすでに存在します。",
    "REQUEST_ID_REUSED": "同じリクエストIDが別のリクエストで使われています。",
    "ETAG_MISMATCH": "他の更新と競合しました。最新の状態を確認してください。",
    "ILLEGAL_STATUS_CHANGE": "現在の状態からは変更できません。",
    "IMPORT_NOT_OPEN": "このインポートは受付を終了しています。",
    "IMPORT_ROWS_MISSING": "アップロードされた行数が一致しません。",
    "IMPORT_FILE_DIFFERS": "インポート元のファイルが異なります。",
    "IMPORT_ROWS_DIFFER": "アップロード済みの行と内容が異なります。",
    "IMPORT_ROW_OUT_OF_RANGE": "行の順序が正しくありません。",
    "CHUNK_DAMAGED": "データが転送中に破損しました。再送してください。",
    "CONCURRENT_CHANGE": "他の処理と競合しました。もう一度お試しください。",
    "STORE_UNAVAILABLE": "現在サービスを利用できません。しばらくしてからお試しください。",
    "TOO_MANY_CALLS": "リクエストが多すぎます。しばらくしてからお試しください。",
    "TOO_SLOW": "検索に時間がかかりすぎました。条件を絞り込んでください。",
    "SERVER_DRAINING": "サーバーが再起動します。再接続してください。",
    "INTERNAL": "内部エラーが発生しました。",
  ]
}
