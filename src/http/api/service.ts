/** Endpoints for the service itself, and for all buckets together. */

import * as answers from "../../schema/answers.ts";
import { EVENTS, type Table } from "./endpoint.ts";

export const SERVICE = {
  "/v1/events": {
    GET: {
      id: "allEvents",
      tag: "Service",
      summary: "Streams the lifecycle events of all buckets, as Server-Sent Events",
      headers: ["Last-Event-ID"],
      answers: {
        200: {
          description: "Events: `created`, `RESTARTED`, `unreachable`, `reachable`, `DOWN`.",
          content: EVENTS,
        },
      },
      errors: ["cursor_invalid", "events_expired", "too_many_connections"],
    },
  },
  "/v1/registry": {
    GET: {
      id: "describeRegistry",
      tag: "Service",
      summary: "Counts the names in each state, and the work of the sweep",
      answers: { 200: { description: "Figures.", content: { json: answers.RegistryAnswer } } },
    },
  },
  "/metrics": {
    GET: {
      id: "listMetrics",
      tag: "Service",
      summary: "The figures of /v1/registry as Prometheus metrics",
      answers: { 200: { description: "Prometheus' text format.", content: { text: "text/plain" } } },
    },
  },
} as const satisfies Table;

/** Endpoints that need no token, because they reveal nothing about the data. */
export const PUBLIC_API = {
  "/": {
    GET: {
      id: "showStart",
      tag: "Service",
      summary: "The start page",
      answers: { 200: { description: "A page.", content: { text: "text/html" } } },
    },
  },
  "/healthz": {
    GET: {
      id: "health",
      tag: "Service",
      summary: "Health check",
      answers: { 200: { description: "The service is up.", content: { json: answers.HealthAnswer } } },
    },
  },
  "/openapi.json": {
    GET: {
      id: "describeApi",
      tag: "Service",
      summary: "This API description",
      answers: { 200: { description: "OpenAPI 3.1.", content: { json: answers.DescriptionAnswer } } },
    },
  },
  "/docs": {
    GET: {
      id: "showDocs",
      tag: "Service",
      summary: "This API description as a web page",
      answers: { 200: { description: "A page.", content: { text: "text/html" } } },
    },
  },
} as const satisfies Table;
