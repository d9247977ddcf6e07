#ifndef COMANDA_MESSAGE_CHECK_H
#define COMANDA_MESSAGE_CHECK_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

// What bytes from a stranger must pass before protobuf-c unpacks them.
//
// libprotobuf-c 1.4 bounds neither depth nor the number of elements, does not look at UTF-8, and hands out texts as C
// strings, which end at their first NUL. The check walks the encoded bytes once, without recursion, by the descriptors
// that protoc-c generated. It tells apart what is wrong with the message, which is refused as a whole, and what is wrong
// with one row, which fails alone.

enum {
  // Most rows of a batch.
  COMANDA_ROW_LIMIT = 1000,
  // Most items of an order.
  COMANDA_ITEM_LIMIT = 500,
  // Most source lines of a row: each item has one, and a few may have been blank.
  COMANDA_LINE_LIMIT = 1000,
  // Most problems of an unreadable row.
  COMANDA_PROBLEM_LIMIT = 20,
  // Most fields, in a whole message, that this schema does not know: a newer sender may have some.
  COMANDA_UNKNOWN_FIELD_LIMIT = 10000,
  // Room for the path of a field, with its final zero; the longest is `problems[19].external_id` or the like.
  COMANDA_PATH_BYTES = 48,
};

// Why a message is refused as a whole.
typedef enum {
  COMANDA_MESSAGE_OK = 0,
  // It ends in the middle of a field.
  COMANDA_MESSAGE_TRUNCATED,
  // A number is encoded in more than the ten bytes that 64 bits need, or a field's key in more than five.
  COMANDA_MESSAGE_LONG_NUMBER,
  // A field has the number 0, which does not exist.
  COMANDA_MESSAGE_FIELD_ZERO,
  // A field is of another wire type than the schema says, or of one that does not exist (groups are none of ours).
  COMANDA_MESSAGE_WIRE_TYPE,
  // A field that holds one message occurs twice. Protobuf would merge the two, and libprotobuf-c 1.4 fails at that; no
  // encoder writes such a thing.
  COMANDA_MESSAGE_REPEATED,
  // Messages nest deeper than the schema does.
  COMANDA_MESSAGE_DEPTH,
  // The batch has more than COMANDA_ROW_LIMIT rows.
  COMANDA_MESSAGE_ROWS,
  // It has more than COMANDA_UNKNOWN_FIELD_LIMIT fields that the schema does not know.
  COMANDA_MESSAGE_UNKNOWN_FIELDS,
} MessageFault;

// Why one row fails.
typedef enum {
  COMANDA_ROW_OK = 0,
  // A text is not valid UTF-8.
  COMANDA_ROW_UTF8,
  // A text contains NUL.
  COMANDA_ROW_NUL,
  // A list has more elements than its bound.
  COMANDA_ROW_ELEMENTS,
} RowFaultKind;

// The first thing that is wrong with a row.
typedef struct {
  RowFaultKind kind;
  // How many elements are allowed, for COMANDA_ROW_ELEMENTS.
  uint32_t limit;
  // How many there are, for COMANDA_ROW_ELEMENTS.
  uint32_t count;
  // The field, as a path that begins at the order: `items[2].name`.
  char path[COMANDA_PATH_BYTES];
} RowFault;

// What the check found out.
typedef struct {
  MessageFault fault;
  // Where in the bytes the fault is.
  size_t offset;
} MessageCheck;

// Checks the encoding of one message of a type.
//
// `row_faults` has room for COMANDA_ROW_LIMIT entries; those of the rows that exist are set. A message that is no batch
// counts as a single row.
MessageCheck comanda_check_message(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t count,
                                   RowFault *row_faults);

// The length of the part of bytes that is valid UTF-8 without NUL; equal to `count` when all of it is.
size_t comanda_valid_text_prefix(const uint8_t *bytes, size_t count);

#endif
