#ifndef COMANDA_LINUX_H
#define COMANDA_LINUX_H

// What glibc offers under _GNU_SOURCE only, without which Swift's Glibc module is built; and what all programs do first.

#include <spawn.h>
#include <sys/types.h>

// What a new process gets: it inherits nothing that is not named here.
struct comanda_launch {
  const char *executable;       // absolute path
  char *const *arguments;       // NULL-terminated, with argument 0
  char *const *environment;     // NULL-terminated, NAME=value
  int input;                    // becomes descriptor 0
  int output;                   // becomes descriptors 1 and 2
  int directory;                // becomes descriptor 3
};

// Starts a process in a session of its own (a terminal's Ctrl-C does not reach it), in "/", with the four descriptors
// named above and no other, all signals unblocked and at their defaults.
// Each descriptor given must be 4 or higher. Returns 0 and sets *pid, or an error number.
int comanda_launch_process(const struct comanda_launch *launch, pid_t *pid);

// Has a new process close every descriptor from the lowest on: sockets of this process that a child holds open never
// close for their peers. Returns 0, or an error number.
int comanda_add_close_from(posix_spawn_file_actions_t *actions, int lowest);

// Opens /dev/null in the place of standard input, output and error as far as they are closed. A program calls it before
// anything else: a file or a socket that got one of their numbers would receive what is printed.
void comanda_open_standard_descriptors(void);

// Creates a file without a name in a directory, for writing: it is gone with its last descriptor unless linkat() gives
// it a name. Returns its descriptor, or -1 with errno set: EOPNOTSUPP where the file system has no such files.
int comanda_create_nameless(const char *directory, mode_t mode);

// Writes everything of the file system that holds the open file to the disk. Returns 0, or an error number.
int comanda_sync_file_system(int descriptor);

// Gives the memory that the allocator keeps unused back to the system; takes some milliseconds.
void comanda_return_free_memory(void);

#endif
