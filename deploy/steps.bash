# Steps with progress lines and times, for the scripts beside this file, which source it.

# fail MESSAGE [STATUS]: ends the script.
fail() {
  echo "${0##*/}: $1" >&2
  exit "${2:-1}"
}

# usage: prints the comment at the head of the script.
usage() {
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}

# tenths: the time in tenths of a second.
tenths() {
  local now=${EPOCHREALTIME/[.,]/}
  echo "${now%?????}"
}

# since TENTHS: the seconds that have passed, like 12.3.
since() {
  local passed=$(($(tenths) - $1))
  echo "$((passed / 10)).$((passed % 10))"
}

# quietly TITLE COMMAND…: one line with the time it took; what the command prints is shown only when it fails.
quietly() {
  local title=$1 start output status
  shift
  start=$(tenths)
  output=$(mktemp)
  printf '==> %s ... ' "$title"
  # A subshell of its own, and not in a condition: so an error ends a function that is run here where it occurs.
  set +e
  (set -e; "$@") > "$output" 2>&1 < /dev/null
  status=$?
  set -e
  if ((status != 0)); then
    echo "failed after $(since "$start") s"
    tail -n 60 "$output" >&2
    rm -f "$output"
    fail "\"$title\" failed with status $status: $*" "$status"
  fi
  rm -f "$output"
  echo "$(since "$start") s"
}

# openly TITLE COMMAND…: shows what the command prints, then the time it took. Answers with the command's status.
openly() {
  local title=$1 start status=0
  shift
  start=$(tenths)
  echo "==> $title"
  "$@" || status=$?
  echo "    $(since "$start") s"
  return "$status"
}
