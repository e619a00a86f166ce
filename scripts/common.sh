# Functions that the scripts in this folder share. Source this file, do not run it.
# shellcheck shell=bash

set -euo pipefail
if ((BASH_VERSINFO[0] < 5)) || ! command -v timeout >/dev/null; then
  printf 'error: bash 5 and GNU coreutils are required.\n       On macOS:  brew install bash coreutils gnu-sed\n' >&2
  exit 1
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# bun build leaves a temporary file in the working directory when it is interrupted.
remove_partial_builds() { rm -f .*.bun-build; }

# Without a trap, bash continues after a command that handles Ctrl-C itself and exits normally, as Compose does.
trap 'remove_partial_builds; exit 130' INT
trap 'remove_partial_builds; exit 143' TERM

# Prints a progress line on stderr; stdout is for a script's result.
info() { printf '==> %s\n' "$*" >&2; }

# Prints an error and hints, one line each, and exits with code 1.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  if (($#)); then printf '       %s\n' "$@" >&2; fi
  exit 1
}

# True on Debian, Ubuntu and their derivatives.
is_debian() { [[ -r /etc/os-release ]] && grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release && command -v apt-get >/dev/null; }

is_root() { [[ $(id -u) == 0 ]]; }

can_install() { is_debian && is_root; }

# Runs a command without output; if it fails, prints the last 20 lines of it.
run_silently() {
  local output status=0
  output=$("$@" 2>&1 </dev/null) || status=$?
  if ((status)); then tail -n 20 <<<"$output" >&2; fi
  return "$status"
}

# Fetches the package lists. One unreachable source is no reason to stop.
update_package_lists() { run_silently apt-get update || info "some package lists could not be updated, continuing with the others"; }

# Runs apt-get; if it fails, updates the package lists, which may be missing or out of date, and tries again.
apt_get() {
  local command=(apt-get -o DPkg::Lock::Timeout=120 "$@")
  export DEBIAN_FRONTEND=noninteractive
  run_silently "${command[@]}" 2>/dev/null && return
  if is_root; then
    info "updating the package lists"
    update_package_lists
  fi
  run_silently "${command[@]}"
}

# Installs Debian packages. Needs root.
apt_install() {
  # An interrupted installation blocks every later one.
  run_silently dpkg --configure -a || fail "dpkg could not finish an interrupted installation." "See the output above, then run the command again."
  apt_get install --yes --no-install-recommends "$@" ||
    fail "apt-get could not install: $*" "See the output above. Are the network and the package mirror reachable?"
}

# Prints the value that Compose would use for a variable: from the environment, from .env, or else the default ($2).
config_value() {
  local name=$1 value=${!1:-}
  # A variable that is set but empty overrides .env.
  if [[ -z ${!name+set} && -r .env ]]; then
    value=$(sed -nE "s/^(export )?$name=//p" .env | tail -n 1 | sed -E "s/\r$//; s/ +#.*$//; s/^([\"'])(.*)\1$/\2/")
  fi
  printf '%s\n' "${value:-$2}"
}

# The version of Bun that compiles the services and runs the tests.
bun_version() { sed -n 's/.*"packageManager": "bun@\(.*\)".*/\1/p' package.json; }

# The version of the services and their images.
project_version() { sed -n 's/^  "version": "\(.*\)".*/\1/p' package.json; }

build_images() {
  # Compose reports a bad variable here in one line, without the output of a build.
  scripts/compose config --quiet || exit 1
  info "building both images (about 15 s the first time)"
  run_silently scripts/compose build || fail "the images could not be built." "See the output above."
}

install_npm_packages() {
  run_silently bun install --frozen-lockfile || fail "the npm packages could not be installed." "See the output above. Is the npm registry reachable?"
}

# Prints the path of the bun executable from its npm package, which the first call downloads. The baseline build runs
# on any x64 processor; the image oven/bun contains the same one.
npm_bun() {
  local version platform dir
  version=$(bun_version)
  case $(uname -sm) in
  "Linux x86_64") platform=linux-x64-baseline ;;
  "Linux aarch64") platform=linux-aarch64 ;;
  "Darwin x86_64") platform=darwin-x64-baseline ;;
  "Darwin arm64") platform=darwin-aarch64 ;;
  *) fail "npm has no Bun for $(uname -sm)." "Install Bun $version: https://bun.com/docs/installation" ;;
  esac
  dir=$PWD/.cache/bun-$version-$platform
  if [[ ! -x $dir/package/bin/bun ]]; then
    command -v npm >/dev/null || fail "neither Bun $version nor npm is installed." "Install one of them: https://bun.com/docs/installation"
    info "downloading Bun $version from npm (about 10 s)"
    rm -rf "$dir.new"
    mkdir -p "$dir.new"
    # Without a network, npm's default retries take minutes.
    run_silently npm pack --fetch-retries=1 --fetch-retry-mintimeout=1000 --pack-destination "$dir.new" "@oven/bun-$platform@$version" ||
      fail "npm could not download @oven/bun-$platform@$version." "See the output above. Is the npm registry reachable?"
    tar -xzf "$dir.new"/*.tgz -C "$dir.new"
    rm -rf "$dir.new"/*.tgz "$dir"
    mv "$dir.new" "$dir"
  fi
  printf '%s\n' "$dir/package/bin/bun"
}

# Prints the folder with the files of a Debian package, which the first call downloads. The package is not installed:
# this needs no root, and no service of it starts.
debian_package() {
  local package=$1 dir=$PWD/.cache/$1
  shift
  if [[ ! -d $dir ]]; then
    is_debian || fail "$package is not installed; it can be downloaded on Debian and Ubuntu only." "Install it and run the command again."
    info "downloading the Debian package $package"
    rm -rf "$dir.new"
    mkdir -p "$dir.new"
    (cd "$dir.new" && apt_get download "$@" "$package") ||
      fail "apt-get could not download: $package" "See the output above. Are the network and the package mirror reachable?"
    dpkg-deb --extract "$dir.new"/*.deb "$dir.new"
    rm "$dir.new"/*.deb
    mv "$dir.new" "$dir"
  fi
  printf '%s\n' "$dir"
}
