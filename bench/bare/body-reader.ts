/** A Worker that reads the body and answers, without an object: the engine's own cost of a request with a body. */

export default {
  async fetch(request) {
    await request.text();
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler;
