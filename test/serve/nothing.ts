/** The least Worker there is. */
export default { fetch: (): Response => new Response(null) };
