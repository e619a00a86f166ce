/** The connection could not be opened, or it closed before the response was complete. A retry may succeed. */
export class ConnectionError extends Error {}

/** The server does not speak HTTP/1.1 (RFC 9112) as the response to a `GET` must. */
export class ProtocolError extends Error {}

/** The body is larger than `Limits.maxBody`. */
export class TooLargeError extends Error {}

/** All bodies that are being read would together exceed `Limits.maxBuffered`. */
export class CapacityError extends Error {}
