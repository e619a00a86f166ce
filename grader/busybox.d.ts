// scripts/busybox makes the file; the import gives its path.
declare module "*/.cache/busybox" {
  const path: string;
  export default path;
}
