// A `buildah` that builds the same thing once: of the same sources with the same arguments, it hands out again what the
// real one has built. That the real one would build the same is a test of its own.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An image is known by the arguments of its build and by its sources. */
const script = (real: string, memory: string) => `#!/bin/sh
real='${real}' memory='${memory}'
run() { exec "$real" "$@"; }
# The options for its storage come first: --storage-driver, --root and --runroot with a value each.
command=$7
case $command in
build)
  for source; do :; done
  [ -f "$source/package.json" ] || run "$@"
  image=; previous=
  for argument; do [ "$previous" != --tag ] || image=$argument; previous=$argument; done
  sources=$(cd "$source" && find . -path ./node_modules -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
  arguments=$(shift 6 && printf '%s\\n' "$@" | sed "s#$source#SOURCE#")
  key=$(printf '%s\\n' "$sources" "$arguments" | sha256sum | cut -c 1-64)
  printf '%s\\n' "$key" >"$memory/\${image##*/}"
  [ -d "$memory/$key" ] || run "$@"
  ;;
push)
  for target; do [ "\${target#dir:}" = "$target" ] || break; image=$target; done
  key=$(cat "$memory/\${image##*/}")
  if [ -d "$memory/$key" ]; then
    cp -r "$memory/$key" "\${target#dir:}"
  else
    "$real" "$@" && cp -r "\${target#dir:}" "$memory/$key"
  fi
  ;;
rmi)
  # One that was handed out is in no storage.
  "$real" "$@" 2>/dev/null || true
  ;;
*) run "$@" ;;
esac
`;

/** Makes it in a folder, which is made. The answer is a folder to be put in front of PATH. */
export function rememberingBuildah(folder: string): string {
  const [bin, memory] = [join(folder, "bin"), join(folder, "memory")];
  for (const path of [bin, memory]) mkdirSync(path, { recursive: true });
  const real = Bun.which("buildah");
  if (real !== null) writeFileSync(join(bin, "buildah"), script(real, memory), { mode: 0o755 });
  return bin;
}
