# shellcheck shell=bash
# The binary as it is released: one static file. Needs privilege.sh.

target=x86_64-unknown-linux-gnu
static_binary=$checkout/target/$target/release/libvirt_nova

# The directory is named because $static_binary is in it, whatever the environment says.
# The target is named so that the flag reaches neither build scripts nor procedural macros.
build_static() {
  (cd "$checkout" && as_owner env RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --release --locked --target "$target" --target-dir "$checkout/target" -p libvirt-nova)
}
