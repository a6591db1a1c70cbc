/** A JSON response from text: the bucket has already written the JSON, so it is not parsed again. */

export function jsonText(text: string, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(text, { status, headers: { "Content-Type": "application/json", ...headers } });
}
