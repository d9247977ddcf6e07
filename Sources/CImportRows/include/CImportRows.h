// What UploadRows carries, decoded by libprotobuf-c: the generated messages, the memory that they are decoded into, and
// the check that bytes must pass before.
#ifndef CIMPORTROWS_H
#define CIMPORTROWS_H

#include "comanda/v1/import_rows.pb-c.h"
#include "message_check.h"
#include "unpack_arena.h"
#include "upload_rows.h"

#endif
