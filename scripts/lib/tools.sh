# shellcheck shell=bash
# Cargo's tools, below target/. Needs privilege.sh.

tools=$checkout/target/tools

# Installs a tool, in this very version; built as the settings say.
cargo_tool() { # NAME VERSION [NAME=VALUE...]
  [[ $("$tools/bin/$1" --version 2>/dev/null) == "$1 $2" ]] && return
  echo "installing: $1 $2 in ${tools#"$checkout/"}"
  as_owner env "${@:3}" cargo install "$1" --locked --quiet --version "$2" --root "$tools" </dev/null
}
