# A limit of time for commands that may not answer.
# shellcheck shell=sh

children() {
  cat "/proc/$1/task/$1/children" 2>/dev/null ||
    ps -A -o pid= -o ppid= 2>/dev/null | awk -v parent="$1" '$2 == parent { print $1 }'
}

# Ends a process and those that it has started.
end() {
  for child in $(children "$1"); do end "$child"; done
  kill "$1" 2>/dev/null || true
}

# Runs a command for a number of seconds at most; then the exit code is 124. timeout(1) is not on every system.
#
#   within SECONDS COMMAND…
within() (
  seconds=$1
  shift
  began=$(date +%s)
  "$@" </dev/null &
  command=$!
  {
    sleep "$seconds"
    end $command
  } >/dev/null 2>&1 &
  watchdog=$!
  trap 'end $command; end $watchdog; exit 130' INT TERM
  status=0
  wait $command || status=$?
  end $watchdog
  if [ $status != 0 ] && [ $(($(date +%s) - began)) -ge "$seconds" ]; then status=124; fi
  exit $status
)
