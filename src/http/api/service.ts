/** The service itself, and all its buckets. */

import * as answers from "../../schema/answers.ts";
import { EVENTS, type Table } from "./endpoint.ts";

export const SERVICE = {
  "/v1/events": {
    GET: {
      id: "allEvents",
      tag: "Service",
      summary: "What happens to all buckets, as Server-Sent Events",
      headers: ["Last-Event-ID"],
      answers: {
        200: { description: "`created`, `RESTARTED`, `unreachable`, `reachable`, `DOWN`.", content: EVENTS },
      },
      errors: ["cursor_invalid", "events_expired", "too_many_connections"],
    },
  },
  "/v1/registry": {
    GET: {
      id: "describeRegistry",
      tag: "Service",
      summary: "How many names there are in each state, and what the sweep has done",
      answers: { 200: { description: "Figures.", content: { json: answers.RegistryAnswer } } },
    },
  },
  "/metrics": {
    GET: {
      id: "listMetrics",
      tag: "Service",
      summary: "The same, as Prometheus reads it",
      answers: { 200: { description: "Prometheus' text format.", content: { type: "text/plain" } } },
    },
  },
} as const satisfies Table;

/** What needs no token, because it says nothing of the data. */
export const PUBLIC_API = {
  "/": {
    GET: {
      id: "showStart",
      tag: "Service",
      summary: "What this is, and where to go on",
      answers: { 200: { description: "A page.", content: { type: "text/html" } } },
    },
  },
  "/healthz": {
    GET: {
      id: "health",
      tag: "Service",
      summary: "Whether the service is up",
      answers: { 200: { description: "It is.", content: { json: answers.HealthAnswer } } },
    },
  },
  "/openapi.json": {
    GET: {
      id: "describeApi",
      tag: "Service",
      summary: "This description",
      answers: { 200: { description: "OpenAPI 3.1.", content: { type: "application/json" } } },
    },
  },
  "/docs": {
    GET: {
      id: "showDocs",
      tag: "Service",
      summary: "This description, to browse",
      answers: { 200: { description: "A page.", content: { type: "text/html" } } },
    },
  },
} as const satisfies Table;
