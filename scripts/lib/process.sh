# shellcheck shell=bash
# Daemons that are known by a pid file, and are never looked up by name.

# Prints the pid in PID_FILE where it still is a process called NAME; fails otherwise.
# A pid file outlives its daemon, and the kernel gives the number to somebody else.
# A zombie counts as ended: in a container, process 1 may never reap it.
running() { # PID_FILE NAME
  local pid comm state
  pid=$(cat "$1" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] || return 1
  comm=$(cat "/proc/$pid/comm" 2>/dev/null) || return 1
  state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$pid/status" 2>/dev/null) || return 1
  # The kernel keeps 15 characters of a name.
  [[ $comm == "${2:0:15}" && $state != [ZX] ]] || return 1
  echo "$pid"
}

# Runs COMMAND every 50 ms until it succeeds; fails after SECONDS.
within() { # SECONDS COMMAND...
  local end=$((SECONDS + $1 + 1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

ended() { ! running "$@" >/dev/null; }

# Ends the daemon and waits until it is gone; asks first, and after 10 s insists.
end() { # PID_FILE NAME [SIGNAL]
  local pid
  if pid=$(running "$1" "$2"); then
    kill -s "${3:-TERM}" "$pid" 2>/dev/null || true
    within 10 ended "$1" "$2" || kill -s KILL "$pid" 2>/dev/null || true
    if ! within 5 ended "$1" "$2"; then
      echo "${0##*/}: $2 (process $pid) does not end" >&2
      return 1
    fi
  fi
  rm -f "$1"
}
