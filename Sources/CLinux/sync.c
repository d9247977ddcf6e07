#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <unistd.h>

int comanda_sync_file_system(int descriptor) { return syncfs(descriptor) == 0 ? 0 : errno; }
