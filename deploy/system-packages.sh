#!/usr/bin/env bash
# Sees to it that the commands a target needs are there; installs what is missing where it may.
#
#   deploy/system-packages.sh faketime             each command must be there in the end
#   deploy/system-packages.sh --optional node npm  says what is missing and what is left out, and goes on
#   deploy/system-packages.sh --package NAME ...   Debian packages by name, for what is no command
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }
package_of() { case "$1" in node) echo nodejs ;; *) echo "$1" ;; esac; }

optional=no by_package=no
case "${1:-}" in
  --optional) optional=yes; shift ;;
  --package) by_package=yes; shift ;;
  --help | -h) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac

packages=()
for name in "$@"; do
  if [ "$by_package" = yes ]; then packages+=("$name")
  elif ! command -v "$name" >/dev/null 2>&1; then packages+=("$(package_of "$name")"); fi
done
[ "${#packages[@]}" -gt 0 ] || exit 0

give_up() {
  say "$1 Missing: ${packages[*]}."
  say "Install by hand: apt-get update && apt-get install ${packages[*]}"
  if [ "$optional" = yes ]; then say "Going on without; what needs it is left out."; exit 0; fi
  exit 1
}

command -v apt-get >/dev/null 2>&1 || give_up "There is no apt-get here."
if [ "$(id -u)" -eq 0 ]; then as_root=(env)
elif sudo -n true >/dev/null 2>&1; then as_root=(sudo -n env)
else give_up "Installing needs root, or sudo without a password."; fi

apt() {
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" \
    </dev/null >/dev/null
}
say "Installing ${packages[*]} ..."
apt update || say "The package lists could not be refreshed; trying with those at hand."
apt install -y --no-install-recommends "${packages[@]}" || give_up "apt-get could not install them."
