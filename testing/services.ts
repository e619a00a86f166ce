// The lab's two services, as the tests name them.

export const SERVICES = ["api-backend", "api-frontend"] as const;
export type Name = (typeof SERVICES)[number];

/** The port that each service has unless told otherwise. */
export const PORT = { "api-backend": 8001, "api-frontend": 8000 } as const;

/** The bodies that the subject fixes. */
export const BODY = {
  "api-backend": '{"body": "Je suis une r\\u00e9ponse du backend"}\n',
  "api-frontend":
    '{\n  "return": {\n    "body": "Je suis une r\\u00e9ponse du backend"\n  },\n  "status": "[SUCESS]"\n}\n',
} as const;
