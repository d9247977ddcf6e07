#include "crc32c.h"

#include <string.h>

// One step of four bits at a time: entry n is n divided by the reflected polynomial 0x82F63B78.
static const uint32_t nibbles[16] = {
    0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

uint32_t comanda_crc32c_portable(const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  uint32_t crc = UINT32_MAX;
  for (; count > 0; count--) {
    crc ^= *next++;
    crc = nibbles[crc & 15] ^ crc >> 4;
    crc = nibbles[crc & 15] ^ crc >> 4;
  }
  return ~crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(const uint8_t *next, size_t count) {
  uint64_t crc = UINT32_MAX;
  for (; count >= sizeof(uint64_t); count -= sizeof(uint64_t), next += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, next, sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  for (; count > 0; count--) crc = _mm_crc32_u8((uint32_t)crc, *next++);
  return ~(uint32_t)crc;
}

static int has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }

#elif defined(__aarch64__) && defined(__linux__)

#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

__attribute__((target("crc"))) static uint32_t by_instruction(const uint8_t *next, size_t count) {
  uint32_t crc = UINT32_MAX;
  for (; count >= sizeof(uint64_t); count -= sizeof(uint64_t), next += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, next, sizeof word);
    crc = __crc32cd(crc, word);
  }
  for (; count > 0; count--) crc = __crc32cb(crc, *next++);
  return ~crc;
}

static int has_instruction(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

#else

static uint32_t by_instruction(const uint8_t *next, size_t count) { return comanda_crc32c_portable(next, count); }

static int has_instruction(void) { return 0; }

#endif

uint32_t comanda_crc32c(const void *bytes, size_t count) {
  return has_instruction() ? by_instruction(bytes, count) : comanda_crc32c_portable(bytes, count);
}
