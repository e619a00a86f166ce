// scripts/busybox makes the file, which may be empty; the import gives its path.
declare module "*/.cache/busybox" {
  const path: string;
  export default path;
}
