#include <string.h>

#include "message_check.h"

// The length of the well-formed sequence at the start of the bytes, by table 3-7 of the Unicode Standard; 0 for none.
static size_t sequence_length(const uint8_t *next, size_t count) {
  uint8_t lead = next[0];
  if (lead >= 0x01 && lead <= 0x7F) return 1;
  size_t length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
  if (length == 0 || length > count) return 0;
  for (size_t index = 1; index < length; index++) {
    if ((next[index] & 0xC0) != 0x80) return 0;
  }
  // Not well-formed though the bits fit: longer than needed, a surrogate, above U+10FFFF.
  if (lead == 0xE0 && next[1] < 0xA0) return 0;
  if (lead == 0xED && next[1] > 0x9F) return 0;
  if (lead == 0xF0 && next[1] < 0x90) return 0;
  if (lead == 0xF4 && next[1] > 0x8F) return 0;
  return length;
}

size_t comanda_valid_text_prefix(const uint8_t *bytes, size_t count) {
  const uint64_t high_bits = 0x8080808080808080, ones = 0x0101010101010101;
  size_t position = 0;
  while (position < count) {
    // Eight ASCII characters at a time: none has its high bit set, and none is zero (else subtracting borrows into it).
    uint64_t word;
    if (count - position >= sizeof word) {
      memcpy(&word, bytes + position, sizeof word);
      if (((word | (word - ones)) & high_bits) == 0) {
        position += sizeof word;
        continue;
      }
    }
    size_t length = sequence_length(bytes + position, count - position);
    if (length == 0) break;
    position += length;
  }
  return position;
}
