# Functions that the scripts share. They start with:  . "$(dirname "$0")/common.sh"
# shellcheck shell=sh

set -eu
# With CDPATH set, cd may go elsewhere.
unset CDPATH
cd "$(dirname "$0")/.."

# bun build leaves a temporary file in the working directory when it is interrupted.
trap 'rm -f .*.bun-build; exit 130' INT
trap 'rm -f .*.bun-build; exit 143' TERM

# Prints a progress line on stderr; stdout is for a script's result.
info() { printf '==> %s\n' "$*" >&2; }

# Prints an error and hints, one line each, and exits with code 1.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for hint; do printf '       %s\n' "$hint" >&2; done
  exit 1
}

# Runs a command that may take long. A terminal shows all that it prints; otherwise the last 20 lines, if it fails.
quietly() {
  if [ -t 2 ]; then
    "$@" </dev/null >&2
  else
    output=$("$@" 2>&1 </dev/null) || {
      set -- $?
      printf '%s\n' "$output" | tail -n 20 >&2
      return "$1"
    }
  fi
}

# True on Debian, Ubuntu and their derivatives.
is_debian() { grep -Eqs '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release && command -v apt-get >/dev/null; }

# True if packages may be installed on this machine.
can_install() { [ "${INSTALL-}" != no ] && [ "$(id -u)" = 0 ] && is_debian; }

# Makes an empty folder for a download.
empty_folder() {
  rm -rf "$1"
  mkdir -p "$1" 2>/dev/null || fail "the folder $PWD cannot be written." "Downloads go to .cache in it."
}

# Gives what root made here, as in `sudo make up`, to the owner of this folder.
give_back() {
  [ "$(id -u)" = 0 ] || return 0
  read -r _ _ user group _ <<-END
	$(ls -dn .)
	END
  # Network file systems may not allow it.
  chown -R "$user:$group" "$@" 2>/dev/null || true
}

# Prints the names that a file in the style of .env sets.
names_in() { LC_ALL=C sed -nE 's/^([^A-Za-z_#]{3})?[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*[=:].*/\3/p' "$1"; }

# Prints the names in .env that nobody reads: neither this repository, nor Compose and Docker, nor another of its lines.
unread_names() {
  [ -r .env ] || return 0
  names_in .env | sort -u | while read -r name; do
    case $name in COMPOSE_* | DOCKER_* | BUILDKIT_* | BUILDX_*) continue ;; esac
    grep -q "^# $name=" .env.example || LC_ALL=C grep -Eqs "\\\$\{?$name([^A-Za-z0-9_]|\$)" .env ./*.yaml ./*.yml || printf '%s\n' "$name"
  done
}

# Removes the lines that match from .env, and the file if none is left.
remove_from_env() {
  [ -e .env ] || return 0
  others=$(LC_ALL=C sed "\#$1#d" .env) || return
  if [ -n "$others" ]; then printf '%s\n' "$others" >.env; else rm -f .env; fi
}

# The value of a field of package.json. packageManager names the version of Bun.
package_field() { sed -n "s/^  \"$1\": \"\(bun@\)\{0,1\}\(.*\)\".*/\2/p" package.json; }

# Reads the Compose configuration, once for this script and those that it calls.
read_config() {
  LAB_SETTINGS=${LAB_SETTINGS-$(sh scripts/config)}
  export LAB_SETTINGS
}

# Prints one of the settings that scripts/config lists.
setting() { printf '%s\n' "$LAB_SETTINGS" | sed -n "s/^$1=//p"; }

# Prints the ids of the stack's containers, running or not; of one service if it is named.
containers() {
  docker ps --all --quiet --no-trunc --filter label=com.docker.compose.oneoff=False \
    --filter "label=com.docker.compose.project=$(setting project)" --filter "label=com.docker.compose.service${1:+=$1}"
}

# Prints the host of the engine, if it is another machine.
remote_host() {
  docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null |
    sed -En 's#^(tcp|ssh)://([^@/]*@)?(\[[^]]*\]|[^:/]*).*#\3#p' | grep -Evx 'localhost|127\..*|\[::1\]' || true
}

# The last line that is not empty of a command's output.
last_line() { printf '%s\n' "$1" | grep . | tail -n 1; }

# Git refuses a checkout of another user, because its configuration can name programs. make runs its scripts anyway.
repository() { git -c safe.directory='*' "$@"; }

# Exports the values of the images' labels.
#
#   read_labels build   also says what is missing
read_labels() {
  # They name another repository where the user, or git itself as in a hook, has set them.
  unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_PREFIX
  LAB_VERSION=$(package_field version)
  LAB_REVISION=unknown
  LAB_SOURCE=
  # A copy of this folder inside another repository has none of its own.
  if problem=$(repository ls-files --error-unmatch docker-compose.yaml 2>&1); then
    LAB_REVISION=$(repository describe --always --exclude='*' --abbrev=40 2>/dev/null || echo unknown)
    # The publisher's own key, which the first make push writes, is in no image.
    [ "$LAB_REVISION" = unknown ] || [ -z "$(repository status --porcelain --untracked-files=no . ':!cosign.pub')" ] ||
      LAB_REVISION=$LAB_REVISION-dirty
    # As a browser has it, also of ssh's. It must not reveal credentials, as in https://user:token@host/.
    LAB_SOURCE=$(repository remote get-url origin 2>/dev/null |
      sed -nE 's#^(ssh://)?git@([^:/]+)[:/]#https://\2/#; s#//[^/]*@#//#; s#\.git$##; /^https:/p')
  elif [ "${1-}" = build ]; then
    info "the images will not say of which revision they are: $(printf '%s\n' "$problem" | head -n 1)"
  fi
  export LAB_VERSION LAB_REVISION LAB_SOURCE
}
