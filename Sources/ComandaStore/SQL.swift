import ComandaPostgres

/// Every statement of the store, from the file of its name in `SQL/`.
enum SQL {
  static let applyFault = Statement(PackageResources.apply_fault_sql, "apply_fault")
  static let applyHold = Statement(PackageResources.apply_hold_sql, "apply_hold")
  static let applyPick = Statement(PackageResources.apply_pick_sql, "apply_pick")
  static let applyRefused = Statement(PackageResources.apply_refused_sql, "apply_refused")
  static let applySettings = Statement(PackageResources.apply_settings_sql, "apply_settings")
  static let applyVerdicts = Statement(PackageResources.apply_verdicts_sql, "apply_verdicts")
  static let applyOrders = Statement(PackageResources.apply_orders_sql, "apply_orders")
  static let applyConflicts = Statement(PackageResources.apply_conflicts_sql, "apply_conflicts")
  static let applyDuplicates = Statement(PackageResources.apply_duplicates_sql, "apply_duplicates")
  static let applyItems = Statement(PackageResources.apply_items_sql, "apply_items")
  static let applyPayments = Statement(PackageResources.apply_payments_sql, "apply_payments")
  static let applyNotifications = Statement(PackageResources.apply_notifications_sql, "apply_notifications")
  static let applyCounter = Statement(PackageResources.apply_counter_sql, "apply_counter")
  static let applyEvents = Statement(PackageResources.apply_events_sql, "apply_events")
  static let applyAudit = Statement(PackageResources.apply_audit_sql, "apply_audit")
  static let applyAdvance = Statement(PackageResources.apply_advance_sql, "apply_advance")
  static let applyComplete = Statement(PackageResources.apply_complete_sql, "apply_complete")

  static let auditCounter = Statement(PackageResources.audit_counter_sql, "audit_counter")
  static let auditAppend = Statement(PackageResources.audit_append_sql, "audit_append")

  static let businessCreate = Statement(PackageResources.business_create_sql, "business_create")
  static let businessCounter = Statement(PackageResources.business_counter_sql, "business_counter")
  static let businessFind = Statement(PackageResources.business_find_sql, "business_find", readOnly: true)
  static let businessList = Statement(PackageResources.business_list_sql, "business_list", readOnly: true)

  static let importCancel = Statement(PackageResources.import_cancel_sql, "import_cancel")
  static let importClose = Statement(PackageResources.import_close_sql, "import_close")
  static let importCreate = Statement(PackageResources.import_create_sql, "import_create")
  static let importCreateApplier = Statement(PackageResources.import_create_applier_sql, "import_create_applier")
  static let importExceptions = Statement(PackageResources.import_exceptions_sql, "import_exceptions")
  static let importFind = Statement(PackageResources.import_find_sql, "import_find", readOnly: true)
  static let importList = Statement(PackageResources.import_list_sql, "import_list")
  static let importLock = Statement(PackageResources.import_lock_sql, "import_lock")
  static let importProgress = Statement(PackageResources.import_progress_sql, "import_progress", readOnly: true)
  static let importResume = Statement(PackageResources.import_resume_sql, "import_resume")
  static let importRows = Statement(PackageResources.import_rows_sql, "import_rows")
  static let importSeal = Statement(PackageResources.import_seal_sql, "import_seal")
  static let importUnfinished = Statement(PackageResources.import_unfinished_sql, "import_unfinished")

  static let orderAudit = Statement(PackageResources.order_audit_sql, "order_audit")
  static let orderCancelNotifications = Statement(
    PackageResources.order_cancel_notifications_sql, "order_cancel_notifications")
  static let orderCancelPayments = Statement(PackageResources.order_cancel_payments_sql, "order_cancel_payments")
  static let orderCounter = Statement(PackageResources.order_counter_sql, "order_counter")
  static let orderCreated = Statement(PackageResources.order_created_sql, "order_created")
  static let orderFind = Statement(PackageResources.order_find_sql, "order_find", readOnly: true)
  static let orderFindBatch = Statement(PackageResources.order_find_batch_sql, "order_find_batch", readOnly: true)
  static let orderFindExternal = Statement(
    PackageResources.order_find_external_sql, "order_find_external", readOnly: true)
  static let orderHistory = Statement(PackageResources.order_history_sql, "order_history", readOnly: true)
  static let orderInsert = Statement(PackageResources.order_insert_sql, "order_insert")
  static let orderItems = Statement(PackageResources.order_items_sql, "order_items")
  static let orderList = Statement(PackageResources.order_list_sql, "order_list")
  static let orderLock = Statement(PackageResources.order_lock_sql, "order_lock")
  static let orderMove = Statement(PackageResources.order_move_sql, "order_move")
  static let orderMoveCounter = Statement(PackageResources.order_move_counter_sql, "order_move_counter")
  static let orderMoved = Statement(PackageResources.order_moved_sql, "order_moved")
  static let orderNotifications = Statement(PackageResources.order_notifications_sql, "order_notifications")
  static let orderPayments = Statement(PackageResources.order_payments_sql, "order_payments")
  static let orderRequests = Statement(PackageResources.order_requests_sql, "order_requests")
  static let orderResults = Statement(PackageResources.order_results_sql, "order_results")
  static let orderStatistics = Statement(PackageResources.order_statistics_sql, "order_statistics")

  static let requestClaim = Statement(PackageResources.request_claim_sql, "request_claim")
  static let requestFind = Statement(PackageResources.request_find_sql, "request_find")

  static let settingsLeased = Statement(PackageResources.settings_leased_sql, "settings_leased")
  static let settingsShared = Statement(PackageResources.settings_shared_sql, "settings_shared")

  static let stageAdvance = Statement(PackageResources.stage_advance_sql, "stage_advance")
  static let stageChunk = Statement(PackageResources.stage_chunk_sql, "stage_chunk")
  static let stageEarlier = Statement(PackageResources.stage_earlier_sql, "stage_earlier")
  static let stageKeys = Statement(PackageResources.stage_keys_sql, "stage_keys")
  static let stageLook = Statement(PackageResources.stage_look_sql, "stage_look")
  /// A COPY, which is no prepared statement.
  static let stageRows = String(decoding: PackageResources.stage_rows_sql, as: UTF8.self)

  static let tokenCreate = Statement(PackageResources.token_create_sql, "token_create")
  static let tokenList = Statement(PackageResources.token_list_sql, "token_list", readOnly: true)
  static let tokenResolve = Statement(PackageResources.token_resolve_sql, "token_resolve", readOnly: true)
  static let tokenRevoke = Statement(PackageResources.token_revoke_sql, "token_revoke")

  static let workBusinesses = Statement(PackageResources.work_businesses_sql, "work_businesses", readOnly: true)
}

extension Statement {
  fileprivate init(_ file: [UInt8], _ name: String, readOnly: Bool = false) {
    self.init(String(decoding: file, as: UTF8.self), name: name, readOnly: readOnly)
  }
}
