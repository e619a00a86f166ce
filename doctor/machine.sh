# Checks of this folder's version, the machine, and the engine's: processor, memory, disk, this folder, programs.
# shellcheck shell=sh

# Both images, what they are built with, and the stand-ins, as docker image ls shows their sizes.
NEEDED_MB=700
# The compiler took 257 MB, and BuildKit builds both services at once.
NEEDED_MEMORY_MB=512

check_version() {
  commit=$(git describe --always --dirty --exclude '*' 2>/dev/null) || commit=
  report ok version "$(package_field name) $(package_field version)${commit:+, commit $commit}"
}

check_system() {
  name=$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' /etc/os-release 2>/dev/null) || name=
  report ok system "${name:+$name, }$(uname -srm)$(! grep -qis microsoft /proc/version || echo ', in WSL')"
}

# The processor's name as Docker platforms have it.
platform_of() {
  case $1 in
  x86_64 | amd64) echo amd64 ;;
  aarch64 | arm64) echo arm64 ;;
  *) printf '%s\n' "$1" ;;
  esac
}

check_processor() {
  architecture=$(engine_field arch)
  architecture=$(platform_of "${architecture:-$(uname -m)}")
  avx2=
  if [ "$architecture" = amd64 ] && [ -z "$remote" ] && [ -r /proc/cpuinfo ]; then
    if grep -qw avx2 /proc/cpuinfo; then avx2=", with AVX2"; else avx2=", without AVX2, which is not needed"; fi
  fi
  case $architecture in
  amd64 | arm64) report ok processor "$architecture$avx2" ;;
  *) report wrong processor "there is no Bun for $architecture" "use a machine with an amd64 or arm64 processor" ;;
  esac
  case ${DOCKER_DEFAULT_PLATFORM:-linux/$architecture} in
  "linux/$architecture"*) ;;
  *) report wrong processor "DOCKER_DEFAULT_PLATFORM=$DOCKER_DEFAULT_PLATFORM is not the engine's linux/$architecture" "unset DOCKER_DEFAULT_PLATFORM" ;;
  esac
}

# The memory and the disk are those of the engine, or of this machine if the engine will be installed here.
check_memory() {
  total=$(engine_field memory)
  [ -z "$will_install" ] || total=$(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)
  case ${total:-x} in
  0 | *[!0-9]*) report unknown memory "the memory is not known without an engine" && return ;;
  esac
  total=$((total / 1048576))
  if [ $total -lt $NEEDED_MEMORY_MB ]; then
    report warning memory "the engine has only $total MB of memory" "give it $NEEDED_MEMORY_MB MB; the build takes most"
  else
    report ok memory "the engine${will_install:+, once there,} has $total MB of memory"
  fi
}

# Prints how many MB are free where a folder is; nothing if that is not known.
free_mb() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print int($(NF - 2) / 1024) }'; }

# True if both images are on the engine, so that little is left to build.
images_built() {
  [ -n "$LAB_SETTINGS" ] && docker image inspect "$(setting api-backend.image)" "$(setting api-frontend.image)" >/dev/null 2>&1
}

check_disk() {
  root=$(engine_field root)
  [ -z "$will_install" ] || root=/var/lib
  free=
  # The engines of Docker Desktop, and of other machines, have disks of their own.
  case $(engine_field system),$remote in
  *Desktop*,* | *,?*) ;;
  *) if [ -n "$root" ] && [ -d "$root" ]; then free=$(free_mb "$root"); fi ;;
  esac
  if [ -z "$free" ]; then
    report unknown disk "how much disk the engine has is not known"
  elif [ "$free" -ge $NEEDED_MB ]; then
    report ok disk "$free MB of disk are free in $root"
  elif images_built; then
    report warning disk "only $free MB of disk are free in $root" "a new build takes up to $NEEDED_MB: docker system df shows what takes room"
  else
    report wrong disk "only $free MB of disk are free in $root, and make up takes $NEEDED_MB" "docker system df shows what takes room"
  fi
}

# The mount options of the file system of this folder, with a comma before and after each.
mount_options() {
  place=$(df -P . | sed -n '2s/^.*% *//p')
  # The file has octal codes for spaces and the like.
  awk -v place="$place" '{ point = $2; gsub(/\\040/, " ", point) } point == place { options = $4 } END { print "," options "," }' /proc/mounts 2>/dev/null
}

check_folder() {
  case $(mount_options) in
  *,noexec,*) report warning folder "programs may not run in $PWD (noexec)" "make test, make check and make dev need another folder" ;;
  esac
  if ! [ -w . ]; then
    report warning folder "$PWD cannot be written" "make bases, make check and make test write to it"
  elif [ -e .env ] && ! [ -w .env ]; then
    report warning folder ".env cannot be written" "make bases changes it where no registry can be reached"
  else
    report ok folder "$PWD can be written"
  fi
}

# Prints the version of a program, as in "git 2.39.5", if it is there.
version_of() {
  command -v "$1" >/dev/null || return 0
  # npm writes a log otherwise.
  printf '%s %s\n' "$1" "$(npm_config_cache=/dev/null npm_config_logs_max=0 npm_config_update_notifier=false within 5 "$1" --version 2>/dev/null | sed -n '1s/^[^0-9]*\([0-9][^ ]*\).*/\1/p')"
}

check_programs() {
  bun=$(package_field packageManager)
  found=$(
    for program in make git npm; do version_of $program; done
    ! sh scripts/bun --check >/dev/null || echo "Bun $bun"
  )
  report ok programs "$(printf '%s\n' "$found" | sed '/^$/d' | tr '\n' ',' | sed 's/,$//; s/,/, /g')"
  printf '%s\n' "$found" | grep -q '^git ' ||
    report warning programs "git is missing" "without it the images do not say of which revision they are"
  if printf '%s\n' "$found" | grep -q '^Bun '; then return; fi
  if printf '%s\n' "$found" | grep -q '^npm '; then
    report ok programs "Bun $bun is fetched from npm by make check and make test"
  else
    report warning programs "neither Bun $bun nor npm is here" \
      "make check, make test and stand-ins for base images need one: https://bun.com/docs/installation"
  fi
}
