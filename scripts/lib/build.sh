# shellcheck shell=bash
# The binary as it is released: one static file. Needs privilege.sh.

# Packages are made for another architecture where TARGET names it.
target=${TARGET:-x86_64-unknown-linux-gnu}
# shellcheck disable=SC2034 # for whoever reads this file
static_binary=$checkout/target/$target/release/libvirt_nova

# What the last step alone is told, which compiles the whole program once more: loops become vectors, which gzip wants,
# whatever Cargo.toml says of a crate; and little is inlined, for no scrape gets slower by it.
last_step=(-C opt-level=3 -C llvm-args=-inline-threshold=3 -C llvm-args=-inlinehint-threshold=8)
# Relocations take a few bits each, which glibc reads since 2.36, and functions of the same bytes are one. Rust brings
# this target's linker; another may know neither.
if [[ $target == x86_64-unknown-linux-gnu ]]; then
  # shellcheck disable=SC2054 # the linker's commas
  last_step+=(-C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all -C link-arg=-Wl,-O2 -C link-arg=-Wl,--build-id=none)
fi

# The directory is named because $static_binary is in it, whatever the environment says.
# The target is named so that the flags reach neither build scripts nor procedural macros.
# Where somebody keeps the libraries' files is left out of their names: a panic's place is `hyper-1.12.0/src/…`. They
# are fetched first, so that the place is there to be named.
static_rustc() { # DIRECTORY symbols|none ARGUMENT..., where in the checkout, what is stripped and what is built
  local registry encoded flags=(-C target-feature=+crt-static)
  (cd "$checkout" && as_owner cargo fetch --quiet --locked --target "$target") || return
  # shellcheck disable=SC2016 # It is the owner's.
  for registry in "$(as_owner bash -c 'echo "${CARGO_HOME:-$HOME/.cargo}"')"/registry/src/*/; do
    [[ ! -d $registry ]] || flags+=("--remap-path-prefix=$registry=")
  done
  # RUSTFLAGS would end a flag at each space.
  printf -v encoded '\x1f%s' "${flags[@]}"
  (cd "$checkout" && as_owner env CARGO_ENCODED_RUSTFLAGS="${encoded:1}" \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="${CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER:-aarch64-linux-gnu-gcc}" \
    cargo rustc --release --locked --target "$target" --target-dir "$checkout/$1" -p libvirt-nova "${@:3}" \
    -- "${last_step[@]}" -C strip="$2")
}

build_static() { static_rustc target symbols --bin libvirt_nova; }

# Builds a bench with the same flags and prints its path. With it cargo makes the program once more, with the benches'
# feature: not over the one that is released. Its symbols stay, for callgrind begins to count at a function's name.
static_bench() { # NAME
  static_rustc target/benches none --bench "$1" --features bench --message-format=json-render-diagnostics </dev/null |
    sed -n "s/.*\"name\":\"$1\".*\"executable\":\"\([^\"]*\)\".*/\1/p"
}
