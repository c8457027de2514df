# shellcheck shell=bash
# The binary as it is released: one static file. Needs privilege.sh.

# Packages are made for another architecture where TARGET names it.
target=${TARGET:-x86_64-unknown-linux-gnu}
# shellcheck disable=SC2034 # for whoever reads this file
static_binary=$checkout/target/$target/release/libvirt_nova

# The directory is named because $static_binary is in it, whatever the environment says.
# The target is named so that the flag reaches neither build scripts nor procedural macros.
static_cargo() { # COMMAND [ARGUMENT...]
  (cd "$checkout" && as_owner env RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="${CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER:-aarch64-linux-gnu-gcc}" \
    cargo "$1" --release --locked --target "$target" --target-dir "$checkout/target" -p libvirt-nova "${@:2}")
}

build_static() { static_cargo build; }
