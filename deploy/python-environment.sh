#!/usr/bin/env bash
# Makes .venv from requirements.lock: exactly the locked packages, then the project itself, editable.
# Safe to run again: an environment of a Python that is gone or too old is made anew.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
has_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# A name on the PATH may be a shim that runs nothing, and Debian splits venv off: so every candidate
# is tried, and the newest that can do all wins over a newer one that can't.
complete='' partial=''
for name in python3.14 python3.13 python3.12 python3.11 python3; do
  new_enough "$name" || continue
  if has_venv "$name"; then complete=$name; break; fi
  [ -n "$partial" ] || partial=$name
done

if [ -z "$complete" ] && [ -n "$partial" ]; then
  version=$("$partial" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  say "Python $version is here, but without venv and ensurepip."
  deploy/system-packages.sh --package "python$version-venv"
  has_venv "$partial" || { say "python$version-venv is installed, yet $partial still has no ensurepip."; exit 1; }
  complete=$partial
fi
if [ -z "$complete" ]; then
  say "Một Cửa needs Python 3.11 or newer, and found none as python3.14 … python3.11 or python3."
  say "On Debian 12 or Ubuntu 24.04 and newer: apt-get install python3 python3-venv"
  exit 1
fi

if ! new_enough .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  "$complete" -m venv .venv
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
.venv/bin/python -m pip install --quiet --require-hashes -r requirements.lock
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
touch .venv/.ready
