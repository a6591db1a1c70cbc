/** A response whose JSON was written where the data is. */

export function jsonText(text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { headers: { "Content-Type": "application/json", ...headers } });
}
