# shellcheck shell=bash
# A control group of our own in each hierarchy that somebody counts with. Needs process.sh.

# Of version 1's hierarchies, those that count: of these controllers, as a regular expression. libvirt's CPU time needs:
controllers='cpu(acct)?'

# The mount points: version 2's one, and those of version 1.
hierarchies() {
  awk -v wanted="(^|,)($controllers)(,|\$)" '$3 == "cgroup2" || ($3 == "cgroup" && $4 ~ wanted) { print $2 }' /proc/mounts
}

# Version 2 hands a controller down only when told; systemd usually has. Below its true root, the one group without
# a type, this must not be done to a group that has processes: its children could have none any more.
hand_down_cpu() {
  local root
  while read -r root; do
    [[ -e $root/cgroup.type || ! -e $root/cgroup.subtree_control ]] || echo +cpu 2>/dev/null >"$root/cgroup.subtree_control" || true
  done < <(hierarchies)
}

# Makes GROUP in each hierarchy and moves this shell there, so that all it starts is born in it.
# Where that is not allowed, guests run without, and libvirtd says so when it is asked.
join_group() { # GROUP
  local root
  while read -r root; do
    { mkdir -p "$root/$1" && echo "$BASHPID" >"$root/$1/cgroup.procs"; } 2>/dev/null || true
  done < <(hierarchies)
}

# Makes GROUP all that is to be seen of each hierarchy, in the mount namespace of the caller.
show_group_only() { # GROUP
  local root
  while read -r root; do
    [[ ! -d $root/$1 ]] || mount --bind "$root/$1" "$root"
  done < <(hierarchies)
}

# Kills whatever is left in GROUP and removes it.
remove_group() { # GROUP
  local root left
  while read -r root; do
    [[ -d $root/$1 ]] || continue
    left=$(find "$root/$1" -name cgroup.procs -exec cat {} +)
    # shellcheck disable=SC2086 # one pid a word
    [[ -z $left ]] || kill -s KILL $left 2>/dev/null || true
    # A group that lost its last process stays busy for a moment.
    within 5 group_removed "$root/$1" || { echo "${0##*/}: $root/$1 is still in use" >&2; return 1; }
  done < <(hierarchies)
}

group_removed() {
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
  [[ ! -d $1 ]]
}
