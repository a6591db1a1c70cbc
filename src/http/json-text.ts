/** A response whose JSON was written where the data is. */

export function jsonText(text: string, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(text, { status, headers: { "Content-Type": "application/json", ...headers } });
}
