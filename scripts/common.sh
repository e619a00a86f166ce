# What the scripts of this folder share. Sourced, never run.
# shellcheck shell=bash

set -euo pipefail
if ((BASH_VERSINFO[0] < 5)) || ! command -v timeout >/dev/null; then
  printf 'error: bash 5 and the GNU coreutils are needed.\n       On macOS:  brew install bash coreutils gnu-sed\n' >&2
  exit 1
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What Bun leaves in this folder where it is ended while it compiles.
drop_half_compiled() { rm -f .*.bun-build; }

# Without a trap bash goes on behind a command that met Ctrl-C by an exit code of its own, as Compose does.
trap 'drop_half_compiled; exit 130' INT
trap 'drop_half_compiled; exit 143' TERM

# One line of progress, on stderr: stdout is for what a script answers.
say() { printf '==> %s\n' "$*" >&2; }

# What went wrong, then what to do about it, a line each; ends the script.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  if (($#)); then printf '       %s\n' "$@" >&2; fi
  exit 1
}

# True on Debian, Ubuntu and their kin, where apt-get installs packages.
is_debian() { [[ -r /etc/os-release ]] && grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release && command -v apt-get >/dev/null; }

is_root() { [[ $(id -u) == 0 ]]; }

# True where apt_install can do its work.
can_install() { is_debian && is_root; }

# Runs a command silently; when it fails, shows the end of what it printed.
quietly() {
  local printed status=0
  printed=$("$@" 2>&1 </dev/null) || status=$?
  if ((status)); then tail -n 20 <<<"$printed" >&2; fi
  return "$status"
}

# Runs apt-get; when it fails, once more with the package lists fetched anew: they may be missing or stale.
apt() {
  local command=(apt-get -o DPkg::Lock::Timeout=120 "$@")
  export DEBIAN_FRONTEND=noninteractive
  quietly "${command[@]}" 2>/dev/null && return
  if is_root; then
    say "fetching the package lists"
    quietly apt-get update || say "not every package list could be fetched; going on with those that could"
  fi
  quietly "${command[@]}"
}

# Installs the named Debian packages. Needs root.
apt_install() {
  # An installation that was interrupted half-way blocks every later one.
  quietly dpkg --configure -a || fail "dpkg could not finish an earlier, interrupted installation." "See the lines above; then run the command again."
  apt install --yes --no-install-recommends "$@" ||
    fail "apt-get could not install: $*" "See the lines above. Is the network, or the package mirror, within reach?"
}

# The value that Compose would take for a variable: from the environment, else from .env, else the given one.
setting() {
  local name=$1 value=${!1:-}
  # One that is set but empty counts as given: .env is not asked.
  if [[ -z ${!name+set} && -r .env ]]; then
    value=$(sed -nE "s/^(export )?$name=//p" .env | tail -n 1 | sed -E "s/\r$//; s/ +#.*$//; s/^([\"'])(.*)\1$/\2/")
  fi
  printf '%s\n' "${value:-$2}"
}

# The version of Bun that everything here is built and run with.
bun_version() { sed -n 's/.*"packageManager": "bun@\(.*\)".*/\1/p' package.json; }

# The version of the services and their images; like Bun's, it stands in package.json alone.
project_version() { sed -n 's/^  "version": "\(.*\)".*/\1/p' package.json; }

build_images() {
  # First, and alone: a wrong variable is told in one line.
  scripts/compose config --quiet || exit 1
  say "building both images (about 15 s the first time)"
  quietly scripts/compose build || fail "the images could not be built." "See the lines above."
}

# What package.json asks for, for running from the sources.
install_packages() {
  quietly bun install --frozen-lockfile || fail "the npm packages could not be installed." "See the lines above. Is npm's registry within reach?"
}

# Prints the path of that Bun, fetched from its npm package at the first call. The build for any processor
# (baseline), which is also what the image oven/bun holds.
npm_bun() {
  local version platform home
  version=$(bun_version)
  case $(uname -sm) in
  "Linux x86_64") platform=linux-x64-baseline ;;
  "Linux aarch64") platform=linux-aarch64 ;;
  "Darwin x86_64") platform=darwin-x64-baseline ;;
  "Darwin arm64") platform=darwin-aarch64 ;;
  *) fail "npm has no Bun for $(uname -sm)." "Install Bun $version: https://bun.com/docs/installation" ;;
  esac
  home=$PWD/.cache/bun-$version-$platform
  if [[ ! -x $home/package/bin/bun ]]; then
    command -v npm >/dev/null || fail "neither Bun $version nor npm is here." "Install one of them: https://bun.com/docs/installation"
    say "fetching Bun $version from npm (about 10 s)"
    rm -rf "$home.new"
    mkdir -p "$home.new"
    # By its defaults npm tries for minutes where there is no network.
    quietly npm pack --fetch-retries=1 --fetch-retry-mintimeout=1000 --pack-destination "$home.new" "@oven/bun-$platform@$version" ||
      fail "npm could not fetch @oven/bun-$platform@$version." "See the lines above. Is npm's registry within reach?"
    tar -xzf "$home.new"/*.tgz -C "$home.new"
    rm -rf "$home.new"/*.tgz "$home"
    mv "$home.new" "$home"
  fi
  printf '%s\n' "$home/package/bin/bun"
}

# Prints the folder that holds the files of a Debian package, fetched at the first call and not installed: it needs
# no root, and nothing of it starts by itself.
debian_package() {
  local package=$1 home=$PWD/.cache/$1
  shift
  if [[ ! -d $home ]]; then
    is_debian || fail "$package is not here, and its package can be had on Debian and Ubuntu only."
    say "fetching the Debian package $package"
    rm -rf "$home.new"
    mkdir -p "$home.new"
    (cd "$home.new" && apt download "$@" "$package") ||
      fail "apt-get could not download: $package" "See the lines above. Is the network, or the package mirror, within reach?"
    dpkg-deb --extract "$home.new"/*.deb "$home.new"
    rm "$home.new"/*.deb
    mv "$home.new" "$home"
  fi
  printf '%s\n' "$home"
}
