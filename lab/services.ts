// The names of the two services, and what the subject fixes of them.

export const SERVICES = ["api-backend", "api-frontend"] as const;
export type ServiceName = (typeof SERVICES)[number];

/** The port on which each service listens by default. */
export const PORT = { "api-backend": 8001, "api-frontend": 8000 } as const;

/** The response body of `GET /`. */
export const BODY = {
  "api-backend": '{"body": "Je suis une r\\u00e9ponse du backend"}\n',
  "api-frontend":
    '{\n  "return": {\n    "body": "Je suis une r\\u00e9ponse du backend"\n  },\n  "status": "[SUCESS]"\n}\n',
} as const;
