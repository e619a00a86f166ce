# Checks of Docker Engine, Compose and the builder.
# shellcheck shell=sh

ENGINE_TIMEOUT_S=5

# True if the first version is older than the second.
older_than() {
  awk -v a="$1" -v b="$2" 'BEGIN {
    split(a, x, /[^0-9]+/); split(b, y, /[^0-9]+/)
    for (i = 1; i <= 3; i++) if (x[i] + 0 != y[i] + 0) exit x[i] + 0 > y[i] + 0
    exit 1
  }'
}

# Looks for an engine. Sets engine to its version, engine_info to what it says of itself, and remote to its host if that
# is another machine.
check_engine() {
  engine=
  engine_info=
  remote=$(remote_host)
  will_install=
  if ! command -v docker >/dev/null; then
    report_missing_docker
    return
  fi
  case $(docker --version 2>&1) in
  "Docker version "*) ;;
  *odman* | "docker version "*)
    report wrong engine "the docker command is Podman" "give Podman's socket to Docker's own client, as in docs/machines.md"
    return
    ;;
  *)
    report wrong engine "the docker command does not work: $(last_line "$(docker --version 2>&1)")" "install it again: $(sh scripts/install-hint engine)"
    return
    ;;
  esac
  status=0
  # shellcheck disable=SC2016 # Go's templates
  output=$(within $ENGINE_TIMEOUT_S docker version --format '{{.Server.Version}}|{{range .Server.Components}}{{.Name}} {{end}}' 2>&1) || status=$?
  case $status in
  0) ;;
  124)
    report wrong engine "the Docker engine${DOCKER_HOST:+ at DOCKER_HOST=$DOCKER_HOST} does not answer within $ENGINE_TIMEOUT_S s" \
      "restart it${DOCKER_HOST:+, or unset DOCKER_HOST to use the local one}"
    # Nothing that follows shall wait for it again.
    export DOCKER_HOST=unix:///no-engine
    return
    ;;
  *)
    report_engine_error
    return
    ;;
  esac
  engine=${output%%|*}
  engine_info=$(within $ENGINE_TIMEOUT_S docker info --format 'os={{println .OSType}}arch={{println .Architecture}}memory={{println .MemTotal}}root={{println .DockerRootDir}}system={{println .OperatingSystem}}security={{println .SecurityOptions}}proxy={{println .HTTPProxy .HTTPSProxy}}' 2>/dev/null) || true
  report_engine "${output#*|}"
}

engine_field() { printf '%s\n' "$engine_info" | sed -n "s/^$1=//p"; }

report_missing_docker() {
  if grep -qis microsoft /proc/version; then
    report wrong engine "this WSL has no docker command" "in the settings of Docker Desktop, under Resources, switch on its integration"
  else
    report_no_engine "there is no Docker engine"
  fi
}

# Sets will_install if make up installs one, on this machine then.
report_no_engine() {
  if can_install; then
    will_install=yes
    report warning engine "$1" "make up installs this distribution's, and starts it"
  else
    report wrong engine "$1" "install and start one: $(sh scripts/install-hint engine)"
  fi
}

report_engine_error() {
  error=$(sh scripts/engine --check 2>&1) && error="error: the Docker engine answered only the second time"
  case $error in
  *"engine on this machine."*) report_no_engine "no Docker engine answers on this machine" ;;
  *) report_errors engine "$error" ;;
  esac
}

# Reports an engine that answers; the argument names its components.
report_engine() {
  kind="Docker Engine $engine"
  case $(engine_field security) in *name=rootless*) kind="$kind, rootless" ;; esac
  case $(engine_field root) in /var/snap/*) kind="$kind, from snap" ;; esac
  case $(engine_field system) in *Desktop*) kind="$kind, of $(engine_field system)" ;; esac
  [ -z "$remote" ] || kind="$kind, on $remote"
  case $1 in
  *Podman*)
    report warning engine "Podman $engine answers instead of Docker" "make check does not work with it: see docs/machines.md"
    return
    ;;
  esac
  if [ "$(engine_field os)" = windows ]; then
    report wrong engine "$kind runs Windows containers" "switch it to Linux containers"
  elif older_than "$engine" 20.10.10; then
    # Its seccomp profile answers clone3 with EPERM: https://github.com/moby/moby/pull/42681
    report wrong engine "$kind is older than 20.10.10: containers cannot create threads" "upgrade it"
  else
    report ok engine "$kind"
  fi
}

# Tries Compose. Sets compose to its version.
check_compose() {
  compose=$(sh scripts/compose version --short 2>/dev/null) || compose=
  compose=${compose#v}
  if [ -z "$engine" ] && [ -n "$compose" ]; then
    report ok compose "Docker Compose $compose; not tried, because no engine answers"
  elif [ -n "$will_install" ]; then
    report unknown compose "there is no Docker Compose yet"
  elif errors=$(within 10 sh scripts/engine --compose 2>&1); then
    report ok compose "Docker Compose $compose"
  else
    compose=
    report_errors compose "$errors"
  fi
}

# What builds the images, for this machine and for make push.
check_builder() {
  buildx=$(docker buildx version 2>/dev/null | sed -n 's/^[^ ]* v\{0,1\}\([0-9][^ ]*\).*/\1/p')
  # https://github.com/docker/compose/pull/13295
  if [ "${DOCKER_BUILDKIT-}" != 0 ] && ! older_than "$compose" 2.40.1 && older_than "${buildx:-0}" 0.17; then
    report warning builder "Docker Compose $compose needs Buildx 0.17 to build, and here is ${buildx:-none}" "install it, or set DOCKER_BUILDKIT=0"
  else
    case $compose,${DOCKER_BUILDKIT-} in
    1.*,* | *,0) report ok builder "the images are built by the classic builder" ;;
    *) report ok builder "the images are built by BuildKit${buildx:+; Buildx $buildx}" ;;
    esac
  fi
  if platforms=$(sh scripts/builder --check); then
    report ok builder "make push builds for both platforms with $platforms"
  elif can_install; then
    report ok builder "make push installs Buildah, to build for both platforms"
  else
    report warning builder "nothing here builds for two platforms, as make push does" "install Buildah, or run docker buildx create --use"
  fi
}
