import ComandaDomain
import ComandaPostgres

extension Row {
  /// Reads the columns of `import_find.sql` and `import_list.sql`, which are the same.
  func importRecord(of business: BusinessID) throws -> Import {
    let description = ImportDescription(
      sourceName: try text(14), group: try text(15), fileSHA256: try digestOrNil(16),
      mappingSHA256: try digestOrNil(17), expectedRows: try int64OrNil(6), policy: try value(8),
      defaults: OrderDefaults(
        currency: try currency(11), paymentMethod: try value(9), notificationChannel: try value(10)),
      createsPayments: try bool(12), createsNotifications: try bool(13), sourceHeader: try bytes(18))
    let progress = ImportProgress(
      state: try value(19), committedRow: try int64(20), totalRows: try int64OrNil(7), failedRows: try int64(21),
      sequence: try int64(22), appliedRow: try int64(23), appliedRows: try int64(24), unchangedRows: try int64(25),
      at: try time(26))
    return Import(
      id: try id(0), businessID: business, description: description, createdBy: try id(1), createdAt: try time(2),
      updatedAt: try time(3), sealedAt: try timeOrNil(4), endedAt: try timeOrNil(5), progress: progress)
  }

  /// Reads the columns of `import_progress.sql`.
  func importProgress() throws -> ImportProgress {
    ImportProgress(
      state: try value(0), committedRow: try int64(1), totalRows: try int64OrNil(2), failedRows: try int64(3),
      sequence: try int64(4), appliedRow: try int64(5), appliedRows: try int64(6), unchangedRows: try int64(7),
      at: try time(8))
  }
}

extension ImportProgress {
  /// Puts together what is stored. Rows that a canceled import did not come to are counted as unprocessed.
  fileprivate init(
    state: ImportState, committedRow: Int64, totalRows: Int64?, failedRows: Int64, sequence: Int64, appliedRow: Int64,
    appliedRows: Int64, unchangedRows: Int64, at: Timestamp
  ) {
    let settledRows = appliedRows.addingSaturated(unchangedRows).addingSaturated(failedRows)
    let unprocessed = state == .canceled ? committedRow.subtractingSaturated(settledRows) : 0
    self.init(
      sequence: sequence, state: state, committedRow: committedRow, appliedRow: appliedRow, totalRows: totalRows,
      counts: ImportCounts(
        applied: appliedRows, unchanged: unchangedRows, failed: failedRows, unprocessed: unprocessed),
      at: at)
  }
}
