import CLinux
import Glibc

/// Starts a program that is found by PATH, in a process group of its own.
///
/// Its signals are unblocked and at their defaults, which those of the thread that happens to run this need not be.
///
/// - Parameters:
///   - input: becomes descriptor 0; nil for `/dev/null`.
///   - output: the file to become descriptor 1, made anew.
///   - errors: the file to become descriptor 2, made anew.
public func spawn(
  _ program: String, _ arguments: [String], environment: [String: String], input: Int32? = nil, output: String,
  errors: String
) throws -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  if let input {
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
  } else {
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
  }
  let flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, flags, 0o600)
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, flags, 0o600)
  comanda_add_close_from(&actions, 3)

  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigfillset(&signals)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

  var argumentPointers = ([program] + arguments).map { strdup($0) } + [nil]
  var environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer { (argumentPointers + environmentPointers).forEach { free($0) } }
  var pid = pid_t()
  let status = posix_spawnp(&pid, program, &actions, &attributes, &argumentPointers, &environmentPointers)
  guard status == 0 else { throw TestRunError("\(program) cannot be run: \(systemMessage(status))") }
  return pid
}
