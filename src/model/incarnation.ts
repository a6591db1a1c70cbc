/** Incarnations: they tell apart the buckets that had the same name, one after another. */

/** One bucket: its name and its incarnation. */
export interface Incarnation {
  readonly name: string;
  /** Unique among all buckets that ever had the name. */
  readonly incarnation: string;
}

/** A new incarnation: 64 random bits in hexadecimal, enough to tell apart all buckets of one name. */
export function newIncarnation(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}

/** The monitor reference of a bucket: one for each incarnation, so a notice about one never reaches another. */
export function refOf({ name, incarnation }: Incarnation): string {
  return `${incarnation}/${name}`;
}

/** The bucket of a reference that {@link refOf} made. A name has no slash, so the split is unambiguous. */
export function incarnationOf(ref: string): Incarnation {
  const [incarnation = "", name = ""] = ref.split("/", 2);
  return { name, incarnation };
}
