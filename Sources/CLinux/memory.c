#define _GNU_SOURCE
#include "CLinux.h"

#include <malloc.h>

void comanda_return_free_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
