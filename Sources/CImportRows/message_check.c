#include "message_check.h"

#include <stdio.h>
#include <string.h>

#include "comanda/v1/import_rows.pb-c.h"

enum {
  // RowBatch, ImportRow, OrderDraft, OrderItem: the schema nests four deep.
  DEPTH_LIMIT = 8,
  // More than any message of the schema has fields.
  FIELD_LIMIT = 16,
  MAX_KEY_BYTES = 5,
  MAX_NUMBER_BYTES = 10,
};

// The low three bits of a field's key.
enum { WIRE_NUMBER = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

// A message inside which the walk is.
typedef struct {
  const ProtobufCMessageDescriptor *type;
  const uint8_t *end;
  // The field of the message around it that holds it, and the place among that field's elements. NULL at the top.
  const ProtobufCFieldDescriptor *holder;
  uint32_t place;
  // How often each field that is repeated or holds a message has occurred so far.
  uint32_t occurrences[FIELD_LIMIT];
} Level;

typedef struct {
  const uint8_t *next;
  Level levels[DEPTH_LIMIT];
  int depth;
  uint32_t row;
  // The field whose elements are too many, of the row at hand.
  const ProtobufCFieldDescriptor *overfull;
  uint32_t unknown_fields;
  RowFault *row_faults;
} Walk;

static MessageFault read_number(Walk *walk, const uint8_t *end, int max_bytes, uint64_t *number) {
  const uint8_t *next = walk->next;
  uint64_t value = 0;
  for (int index = 0; index < max_bytes; index++) {
    if (next == end) return COMANDA_MESSAGE_TRUNCATED;
    uint8_t byte = *next++;
    value |= (uint64_t)(byte & 0x7F) << (7 * index);
    if (byte < 0x80) {
      walk->next = next;
      *number = value;
      return COMANDA_MESSAGE_OK;
    }
  }
  return COMANDA_MESSAGE_LONG_NUMBER;
}

static MessageFault skip(Walk *walk, const uint8_t *end, uint64_t count) {
  if (count > (uint64_t)(end - walk->next)) return COMANDA_MESSAGE_TRUNCATED;
  walk->next += count;
  return COMANDA_MESSAGE_OK;
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *type, uint64_t number) {
  // The fields are sorted, and numbers without gaps make the number an index.
  if (type->n_fields == 0) return NULL;
  uint64_t index = number - type->fields[0].id;
  if (index < type->n_fields && type->fields[index].id == number) return &type->fields[index];
  return number > UINT32_MAX ? NULL : protobuf_c_message_descriptor_get_field(type, (unsigned)number);
}

static int wire_type_of(ProtobufCType type) {
  switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
      return WIRE_BYTES;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
      return WIRE_FIXED32;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
      return WIRE_FIXED64;
    default:
      return WIRE_NUMBER;
  }
}

static uint32_t element_limit(const ProtobufCFieldDescriptor *field) {
  if (field->descriptor == &comanda__v1__order_item__descriptor) return COMANDA_ITEM_LIMIT;
  if (field->descriptor == &comanda__v1__row_problem__descriptor) return COMANDA_PROBLEM_LIMIT;
  if (field->descriptor == &comanda__v1__source_line__descriptor) return COMANDA_LINE_LIMIT;
  return COMANDA_ROW_LIMIT;
}

static void append(char path[COMANDA_PATH_BYTES], const char *format, const char *name, uint32_t place) {
  size_t length = strlen(path);
  snprintf(path + length, COMANDA_PATH_BYTES - length, format, name, (unsigned)place);
}

// Writes where a field of the innermost message is, from the order on: the batch, the row and the order are implied.
static void write_path(const Walk *walk, const ProtobufCFieldDescriptor *field, char path[COMANDA_PATH_BYTES]) {
  path[0] = '\0';
  for (int depth = 1; depth <= walk->depth; depth++) {
    const Level *level = &walk->levels[depth];
    int is_list = level->holder->label == PROTOBUF_C_LABEL_REPEATED;
    int is_implied = depth == 1 ? is_list : depth == 2 && !is_list;
    if (!is_implied) append(path, is_list ? "%s[%u]." : "%s.", level->holder->name, level->place);
  }
  append(path, "%s", field->name, 0);
}

static RowFault *row_fault(Walk *walk) { return &walk->row_faults[walk->row]; }

static void check_text(Walk *walk, const ProtobufCFieldDescriptor *field, const uint8_t *text, size_t count) {
  size_t valid = comanda_valid_text_prefix(text, count);
  RowFault *fault = row_fault(walk);
  if (valid == count || fault->kind != COMANDA_ROW_OK) return;
  fault->kind = text[valid] == 0 ? COMANDA_ROW_NUL : COMANDA_ROW_UTF8;
  write_path(walk, field, fault->path);
}

// Counts an occurrence of a field. Elements of a list beyond its limit are counted on, for the message to the sender.
static MessageFault count_occurrence(Walk *walk, const ProtobufCFieldDescriptor *field, uint32_t *place) {
  Level *level = &walk->levels[walk->depth];
  *place = level->occurrences[field - level->type->fields]++;
  if (field->label != PROTOBUF_C_LABEL_REPEATED) return *place == 0 ? COMANDA_MESSAGE_OK : COMANDA_MESSAGE_REPEATED;
  if (walk->depth == 0) {
    if (*place >= COMANDA_ROW_LIMIT) return COMANDA_MESSAGE_ROWS;
    walk->row = *place;
    row_fault(walk)->kind = COMANDA_ROW_OK;
    return COMANDA_MESSAGE_OK;
  }
  uint32_t limit = element_limit(field);
  if (*place < limit) return COMANDA_MESSAGE_OK;
  RowFault *fault = row_fault(walk);
  if (*place == limit && fault->kind == COMANDA_ROW_OK) {
    fault->kind = COMANDA_ROW_ELEMENTS;
    fault->limit = limit;
    write_path(walk, field, fault->path);
    walk->overfull = field;
  }
  if (fault->kind == COMANDA_ROW_ELEMENTS && walk->overfull == field) fault->count = *place + 1;
  return COMANDA_MESSAGE_OK;
}

static MessageFault enter(Walk *walk, const ProtobufCFieldDescriptor *field, uint32_t place, size_t count) {
  if (walk->depth + 1 == DEPTH_LIMIT) return COMANDA_MESSAGE_DEPTH;
  Level *level = &walk->levels[++walk->depth];
  level->type = field->descriptor;
  level->end = walk->next + count;
  level->holder = field;
  level->place = place;
  memset(level->occurrences, 0, sizeof level->occurrences);
  return level->type->n_fields <= FIELD_LIMIT ? COMANDA_MESSAGE_OK : COMANDA_MESSAGE_DEPTH;
}

static MessageFault check_field(Walk *walk) {
  const Level *level = &walk->levels[walk->depth];
  const uint8_t *end = level->end;
  uint64_t key;
  MessageFault fault = read_number(walk, end, MAX_KEY_BYTES, &key);
  if (fault != COMANDA_MESSAGE_OK) return fault;
  if (key >> 3 == 0) return COMANDA_MESSAGE_FIELD_ZERO;
  int wire_type = (int)(key & 7);

  const ProtobufCFieldDescriptor *field = field_of(level->type, key >> 3);
  if (field == NULL) {
    if (++walk->unknown_fields > COMANDA_UNKNOWN_FIELD_LIMIT) return COMANDA_MESSAGE_UNKNOWN_FIELDS;
  } else if (wire_type != wire_type_of(field->type)) {
    return COMANDA_MESSAGE_WIRE_TYPE;
  }

  uint64_t value;
  uint32_t place = 0;
  switch (wire_type) {
    case WIRE_NUMBER:
      return read_number(walk, end, MAX_NUMBER_BYTES, &value);
    case WIRE_FIXED64:
      return skip(walk, end, sizeof(uint64_t));
    case WIRE_FIXED32:
      return skip(walk, end, sizeof(uint32_t));
    case WIRE_BYTES:
      break;
    default:
      return COMANDA_MESSAGE_WIRE_TYPE;
  }

  fault = read_number(walk, end, MAX_NUMBER_BYTES, &value);
  if (fault != COMANDA_MESSAGE_OK) return fault;
  if (value > (uint64_t)(end - walk->next)) return COMANDA_MESSAGE_TRUNCATED;
  if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE) {
    fault = count_occurrence(walk, field, &place);
    return fault == COMANDA_MESSAGE_OK ? enter(walk, field, place, (size_t)value) : fault;
  }
  if (field != NULL && field->type == PROTOBUF_C_TYPE_STRING) check_text(walk, field, walk->next, (size_t)value);
  return skip(walk, end, value);
}

MessageCheck comanda_check_message(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t count,
                                   RowFault *row_faults) {
  Walk walk = {.next = bytes, .row_faults = row_faults};
  walk.levels[0].type = type;
  walk.levels[0].end = bytes + count;
  row_faults[0].kind = COMANDA_ROW_OK;

  MessageFault fault = COMANDA_MESSAGE_OK;
  while (fault == COMANDA_MESSAGE_OK) {
    if (walk.next < walk.levels[walk.depth].end) {
      fault = check_field(&walk);
    } else if (walk.depth > 0) {
      walk.depth--;
    } else {
      break;
    }
  }
  return (MessageCheck){
      .fault = fault,
      .offset = (size_t)(walk.next - bytes),
  };
}
