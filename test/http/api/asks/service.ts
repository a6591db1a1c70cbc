/** What is asked of the calls about the service, and of its pages. */

import { get, HEAD, POST, type Asks } from "./ask.ts";

export const SERVICE_ASKS: Asks = [
  [
    "runCommands",
    "/v1/commands",
    [
      ["", { ...POST, body: "PING\n" }, 200],
      ["", { ...POST, body: "PING\n", headers: { "Content-Encoding": "gzip" } }, 415],
      ["", {}, 405],
    ],
  ],
  [
    "allEvents",
    "/v1/events",
    [
      ["", {}, 200],
      ["", get({ "Last-Event-ID": "?" }), 400],
      ["", HEAD, 200],
    ],
  ],
  [
    "describeRegistry",
    "/v1/registry",
    [
      ["", {}, 200],
      ["", HEAD, 200],
    ],
  ],
  [
    "listMetrics",
    "/metrics",
    [
      ["", {}, 200],
      ["", HEAD, 200],
    ],
  ],
  [
    "connectToAny",
    "/v1/connect",
    [
      ["", {}, 426],
      ["", HEAD, 426],
    ],
  ],
  [
    "openSession",
    "/v1/buckets/described/session",
    [
      ["", {}, 426],
      ["", HEAD, 426],
    ],
  ],
  [
    "connectToBucket",
    "/v1/buckets/described/connect",
    [
      ["", {}, 426],
      ["", HEAD, 426],
      ["/more", {}, 404],
    ],
  ],
  [
    "showStart",
    "/",
    [
      ["", {}, 200],
      ["", HEAD, 200],
      ["", POST, 405],
    ],
  ],
  [
    "health",
    "/healthz",
    [
      ["", {}, 200],
      ["", HEAD, 200],
      ["", POST, 405],
    ],
  ],
  [
    "describeApi",
    "/openapi.json",
    [
      ["", {}, 200],
      ["", HEAD, 200],
    ],
  ],
  [
    "showDocs",
    "/docs",
    [
      ["", {}, 200],
      ["", HEAD, 200],
    ],
  ],
];
