#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void comanda_open_standard_descriptors(void) {
  // open() takes the lowest number that is free, so that going upwards each gets its own.
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    if (open("/dev/null", O_RDWR) != descriptor) _exit(1);
  }
}

int comanda_create_nameless(const char *directory, mode_t mode) {
  return open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
}
