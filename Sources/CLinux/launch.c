#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>

int comanda_add_close_from(posix_spawn_file_actions_t *actions, int lowest) {
  return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
}

static int describe_descriptors(posix_spawn_file_actions_t *actions, const struct comanda_launch *launch) {
  int error = posix_spawn_file_actions_adddup2(actions, launch->input, 0);
  if (error == 0) error = posix_spawn_file_actions_adddup2(actions, launch->output, 1);
  if (error == 0) error = posix_spawn_file_actions_adddup2(actions, launch->output, 2);
  if (error == 0) error = posix_spawn_file_actions_adddup2(actions, launch->directory, 3);
  if (error == 0) error = comanda_add_close_from(actions, 4);
  if (error == 0) error = posix_spawn_file_actions_addchdir_np(actions, "/");
  return error;
}

static int describe_signals(posix_spawnattr_t *attributes) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int error = posix_spawnattr_setsigmask(attributes, &none);
  if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &all);
  if (error == 0)
    error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  return error;
}

int comanda_launch_process(const struct comanda_launch *launch, pid_t *pid) {
  if (launch->input < 4 || launch->output < 4 || launch->directory < 4) return EBADF;

  posix_spawn_file_actions_t actions;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) return error;
  posix_spawnattr_t attributes;
  error = posix_spawnattr_init(&attributes);
  if (error == 0) {
    error = describe_descriptors(&actions, launch);
    if (error == 0) error = describe_signals(&attributes);
    if (error == 0)
      error = posix_spawn(pid, launch->executable, &actions, &attributes, launch->arguments, launch->environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}
