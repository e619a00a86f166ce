/** The host, with its port, of the registry in an image's name; Docker Hub, if it names none. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}

/** Whether an image's registry is on this machine, where there is no TLS. */
export const isLoopback = (image: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(registryOf(image));

/** An image's name with its registry, as tools want it that have no registry of their own. */
export function fullName(image: string): string {
  if (image.startsWith(`${registryOf(image)}/`)) return image;
  return `docker.io/${image.includes("/") ? image : `library/${image}`}`;
}

/** With the tag that Docker takes if none is given, and there is no digest. */
export const withTag = (image: string): string => (image === repositoryOf(image) ? `${image}:latest` : image);

/** The name without tag and digest. */
export const repositoryOf = (image: string): string => image.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
