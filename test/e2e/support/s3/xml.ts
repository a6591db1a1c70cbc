/** The XML of S3's answers, as far as the stand-in gives them. */

import type { Objects, Page, PageOptions } from "./objects.ts";

const escaped = (text: string): string =>
  text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);

export function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
}

/** The answer to ListObjectsV2. */
export function listXml(
  objects: Objects,
  bucket: string,
  { prefix, limit }: PageOptions,
  page: Page,
): string {
  const contents = page.keys.map((key) => {
    const stored = objects.get(key);
    if (stored === undefined) return "";
    const { etag, at, body } = stored;
    return `<Contents><Key>${escaped(key)}</Key><LastModified>${at.toISOString()}</LastModified><ETag>${escaped(etag)}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  });
  const folders = page.folders.map(
    (folder) => `<CommonPrefixes><Prefix>${escaped(folder)}</Prefix></CommonPrefixes>`,
  );
  const next =
    page.next === undefined
      ? ""
      : `<NextContinuationToken>${escaped(Buffer.from(page.next).toString("base64"))}</NextContinuationToken>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${escaped(bucket)}</Name><Prefix>${escaped(prefix)}</Prefix><KeyCount>${page.keys.length + page.folders.length}</KeyCount><MaxKeys>${limit}</MaxKeys><IsTruncated>${page.next !== undefined}</IsTruncated>${next}${contents.join("")}${folders.join("")}</ListBucketResult>`;
}

/** The keys of a DeleteObjects request. */
export function keysToDelete(xml: string): string[] {
  return [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) =>
    key.replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? ""),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The answer to DeleteObjects. */
export function deletedXml(keys: readonly string[]): string {
  const deleted = keys.map((key) => `<Deleted><Key>${escaped(key)}</Key></Deleted>`).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult>${deleted}</DeleteResult>`;
}
