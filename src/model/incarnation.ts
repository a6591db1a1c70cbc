/** Which bucket, of all that ever had a name. */

export interface Incarnation {
  readonly name: string;
  /** Unique among all buckets that ever had the name. */
  readonly incarnation: string;
}

/** Sixty-four random bits: enough to tell apart all buckets that will ever have one name. */
export function newIncarnation(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}

/** The monitor of a bucket: one for each incarnation, so that what is heard of one never meets another. */
export function refOf({ name, incarnation }: Incarnation): string {
  return `${incarnation}/${name}`;
}

/** What {@link refOf} was made of: a name has no slash. */
export function incarnationOf(ref: string): Incarnation {
  const [incarnation = "", name = ""] = ref.split("/", 2);
  return { name, incarnation };
}
