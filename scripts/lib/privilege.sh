# shellcheck shell=bash
# Who runs what: the system's part as root, cargo as the owner of the checkout.

checkout=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
# An ordinary user's PATH may lack the places of daemons.
PATH=$PATH:/usr/sbin:/sbin

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "${0##*/}: '$1' must run as root, and there is no sudo; become root first" >&2
    return 1
  fi
}

# Whether root runs this for the owner of the checkout.
by_sudo() { ((EUID == 0)) && [[ -n ${SUDO_USER:-} && $(stat -c %U "$checkout") == "$SUDO_USER" ]]; }

# Under sudo, files in target/ that belong to root would stop the owner's next build.
as_owner() {
  local home
  if by_sudo; then
    home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
    # sudo's own PATH has no place for what rustup installs.
    sudo -u "$SUDO_USER" -H env PATH="$home/.cargo/bin:$PATH" "$@"
  else
    "$@"
  fi
}
