/** A Worker that looks at nothing and answers at once: the engine's own cost of a request. */

export default {
  fetch: () => new Response("0123456789"),
} satisfies ExportedHandler;
