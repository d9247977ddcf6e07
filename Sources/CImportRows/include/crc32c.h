#ifndef COMANDA_CRC32C_H
#define COMANDA_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// The CRC-32C (Castagnoli) of bytes, as in RFC 3720, appendix B.4. By the processor's own instruction where it has one.
uint32_t comanda_crc32c(const void *bytes, size_t count);

// The same, always computed in software: what processors without the instruction use.
uint32_t comanda_crc32c_portable(const void *bytes, size_t count);

#endif
