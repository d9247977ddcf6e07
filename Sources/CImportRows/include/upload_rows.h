#ifndef COMANDA_UPLOAD_ROWS_H
#define COMANDA_UPLOAD_ROWS_H

#include "comanda/v1/import_rows.pb-c.h"
#include "message_check.h"
#include "unpack_arena.h"

// Check bytes, then unpack them into an arena: the only way from bytes to messages here.
//
// NULL when the check found a fault, and when the arena's limit was reached (`check->fault` is COMANDA_MESSAGE_OK then).
// The message lives until the arena is reset. `row_faults` is as in comanda_check_message.

Comanda__V1__UploadRowsRequest *comanda_read_upload(UnpackArena *arena, const void *bytes, size_t count,
                                                    RowFault *row_faults, MessageCheck *check);

Comanda__V1__RowBatch *comanda_read_rows(UnpackArena *arena, const void *bytes, size_t count, RowFault *row_faults,
                                         MessageCheck *check);

#endif
