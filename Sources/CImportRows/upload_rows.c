#include "upload_rows.h"

static ProtobufCMessage *read_message(const ProtobufCMessageDescriptor *type, UnpackArena *arena, const void *bytes,
                                      size_t count, RowFault *row_faults, MessageCheck *check) {
  *check = comanda_check_message(type, bytes, count, row_faults);
  if (check->fault != COMANDA_MESSAGE_OK) return NULL;
  return protobuf_c_message_unpack(type, unpack_arena_allocator(arena), count, bytes);
}

Comanda__V1__UploadRowsRequest *comanda_read_upload(UnpackArena *arena, const void *bytes, size_t count,
                                                    RowFault *row_faults, MessageCheck *check) {
  return (Comanda__V1__UploadRowsRequest *)read_message(&comanda__v1__upload_rows_request__descriptor, arena, bytes,
                                                        count, row_faults, check);
}

Comanda__V1__RowBatch *comanda_read_rows(UnpackArena *arena, const void *bytes, size_t count, RowFault *row_faults,
                                         MessageCheck *check) {
  return (Comanda__V1__RowBatch *)read_message(&comanda__v1__row_batch__descriptor, arena, bytes, count, row_faults,
                                               check);
}
