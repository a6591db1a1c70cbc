/** Waits for a promise for at most a second. */

/** The longest wait, in milliseconds. */
const MAX_SILENCE_MS = 1_000;

/** The result, if the promise settles within a second; undefined otherwise. @throws as the promise does */
export async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  const silence = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => silence.resolve(undefined), MAX_SILENCE_MS);
  try {
    return await Promise.race([promise, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
