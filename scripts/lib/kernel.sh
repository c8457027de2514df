# shellcheck shell=bash
# A kernel for the guests to boot.

# Prints the newest kernel that has both an image and virtio drivers; fails where there is none.
# A container may have modules alone, of a kernel that runs elsewhere.
guest_kernel() {
  local version
  while read -r version; do
    if [[ -e /boot/vmlinuz-$version ]] && modprobe -S "$version" --show-depends virtio_balloon >/dev/null 2>&1; then
      echo "$version"
      return
    fi
  done < <(find /lib/modules -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -rV)
  return 1
}
