#!/usr/bin/env bash
# Installs the Debian packages that the build and the local stack need and that are missing.
# Does nothing, and asks for nothing, when all are there.
set -euo pipefail

# A package per line, with what it is for.
packages=(
  build-essential   # librdkafka is compiled from source
  cmake             # so are compression libraries
  pkg-config
  libssl-dev
  zlib1g-dev
  postgresql        # run as a process of its own, never the system's cluster
  redis-server      # likewise
  kcat              # a Kafka producer and consumer for the command line
  curl
  strace            # fault injection in the tests
)
# Given on a developer's machine; installed only if the program is not there from elsewhere.
programs=(
  java=openjdk-17-jre-headless
  mvn=maven
  npm=npm
  pip3=python3-pip   # downloads the tools that tests use, and the simulator's table of real trips
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
for entry in "${programs[@]}"; do
  command -v "${entry%%=*}" >/dev/null || missing+=("${entry#*=}")
done
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing, and installing them takes root or sudo: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
  apt-get install --yes --no-install-recommends "${missing[@]}")
# The package lists may be absent or stale: then, and only then, they are fetched, once.
if ! "${install[@]}"; then
  "${as_root[@]}" apt-get update
  "${install[@]}"
fi
