# shellcheck shell=bash
# A libvirtd and an exporter for a program of scripts/lib, and their end. Needs privilege.sh, process.sh and build.sh.

say() { printf '==> [%d s] %s\n' "$SECONDS" "$*"; }

fail() { echo "${0##*/}: $*" >&2; exit 1; }

# Runs this script again as root where we are not; SEED and LIBVIRT_NOVA_BIN come along.
as_root_again() { # ARGUMENT...
  ((EUID != 0)) || return 0
  command -v sudo >/dev/null || fail "must run as root, and there is no sudo; become root first"
  exec sudo env SEED="${SEED:-}" LIBVIRT_NOVA_BIN="${LIBVIRT_NOVA_BIN:-}" "$(realpath "$0")" "$@"
}

end_bed() {
  local status=$?
  trap - EXIT
  if [[ -n $program ]]; then
    kill -s TERM "$program" 2>/dev/null || true
    wait "$program" || true
  fi
  end "$files/libvirt_nova.pid" libvirt_nova || status=1
  "$checkout/scripts/testbed/private-libvirtd" stop "$files" || status=1
  if ((status == 0 || status == 130)); then
    rm -rf "$files"
  else
    # What is worth reading is the logs.
    find "$files" -mindepth 1 -maxdepth 1 ! -name log -exec rm -rf {} +
    echo "${0##*/}: nothing runs any more; the logs are in $files/log" >&2
  fi
  exit "$status"
}

# Installs and builds what is needed, starts a libvirtd, runs the program with DIR, the exporter's binary and the
# arguments, and ends all that was started.
on_a_bed() { # SECONDS_MAX PROGRAM ARGUMENT...
  local seconds_max=$1 name=$2 status=0
  shift 2
  umask 022
  trap 'exit 130' INT TERM
  "$checkout/scripts/install-needs" test
  if [[ -z ${LIBVIRT_NOVA_BIN:-} ]]; then
    say "building the exporter"
    build_static
  fi
  files=$(mktemp -d "/var/tmp/libvirt-nova-$name.XXXXXX") program=''
  trap end_bed EXIT
  chmod 755 "$files"
  # Out of a home directory that nobody may enter.
  install -m 755 "${LIBVIRT_NOVA_BIN:-$static_binary}" "$files/libvirt_nova"
  say "a private libvirtd in $files"
  "$checkout/scripts/testbed/private-libvirtd" start "$files"
  # In the background, so that bash hears of signals meanwhile.
  timeout --kill-after=20 "$seconds_max" \
    /usr/bin/python3 -B "$checkout/scripts/lib/$name" "$files" "$files/libvirt_nova" "$@" </dev/null &
  program=$!
  wait "$program" || status=$?
  program=''
  ((status != 124)) || fail "not over after $seconds_max s"
  return "$status"
}
