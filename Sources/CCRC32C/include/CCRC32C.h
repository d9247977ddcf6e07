#ifndef CCRC32C_H
#define CCRC32C_H

#include <stddef.h>
#include <stdint.h>

// Extends the CRC-32C (Castagnoli; RFC 3720, B.4) of some bytes by `count` more. Of no bytes it is 0.
// Takes the processor's own instruction if there is one (x86-64 with SSE 4.2, AArch64 with CRC32).
uint32_t crc32c_extend(uint32_t crc, const void *bytes, size_t count);

// The same by tables, eight bytes a step, on any processor.
uint32_t crc32c_extend_portable(uint32_t crc, const void *bytes, size_t count);

#endif
