#include "CCRC32C.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif
#endif

// The polynomial 0x1EDC6F41, bits reversed.
#define POLYNOMIAL 0x82F63B78u

// tables[k][b] is the CRC of byte b followed by k zero bytes, so that eight look-ups advance eight bytes at once.
static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void fill_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    tables[0][byte] = crc;
  }
  for (int k = 1; k < 8; k++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
}

uint32_t crc32c_extend_portable(uint32_t crc, const void *bytes, size_t count) {
  pthread_once(&tables_once, fill_tables);
  const uint8_t *next = bytes;
  crc = ~crc;
  for (; count >= 8; count -= 8, next += 8) {
    uint32_t low = crc ^ ((uint32_t)next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 | (uint32_t)next[3] << 24);
    crc = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^ tables[5][(low >> 16) & 0xFF] ^ tables[4][low >> 24] ^
          tables[3][next[4]] ^ tables[2][next[5]] ^ tables[1][next[6]] ^ tables[0][next[7]];
  }
  for (; count > 0; count--) crc = (crc >> 8) ^ tables[0][(crc ^ *next++) & 0xFF];
  return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t extend_in_hardware(uint32_t crc, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  uint64_t state = (uint32_t)~crc;
  for (; count >= 8; count -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, sizeof word);
    state = _mm_crc32_u64(state, word);
  }
  for (; count > 0; count--) state = _mm_crc32_u8((uint32_t)state, *next++);
  return ~(uint32_t)state;
}

uint32_t crc32c_extend(uint32_t crc, const void *bytes, size_t count) {
  return __builtin_cpu_supports("sse4.2") ? extend_in_hardware(crc, bytes, count)
                                          : crc32c_extend_portable(crc, bytes, count);
}

#elif defined(__aarch64__)

__attribute__((target("crc"))) static uint32_t extend_in_hardware(uint32_t crc, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  uint32_t state = ~crc;
  for (; count >= 8; count -= 8, next += 8) {
    uint64_t word;
    memcpy(&word, next, sizeof word);
    state = __crc32cd(state, word);
  }
  for (; count > 0; count--) state = __crc32cb(state, *next++);
  return ~state;
}

static int has_instruction(void) {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
  return 1;
#endif
}

uint32_t crc32c_extend(uint32_t crc, const void *bytes, size_t count) {
  return has_instruction() ? extend_in_hardware(crc, bytes, count) : crc32c_extend_portable(crc, bytes, count);
}

#else

uint32_t crc32c_extend(uint32_t crc, const void *bytes, size_t count) {
  return crc32c_extend_portable(crc, bytes, count);
}

#endif
