/** Works on a few items at once, and gives their results in the items' order. */

/** @param limit the most items at once, counting those whose result waits to be taken */
export async function* ahead<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const begun: Promise<Result>[] = [];
  const iterator = items[Symbol.iterator]();
  const begin = (): void => {
    const { done, value } = iterator.next();
    if (done === true) return;
    const result = work(value);
    // It may fail while an earlier one is awaited; whoever awaits it gets the error.
    result.catch(() => undefined);
    begun.push(result);
  };
  try {
    while (begun.length < limit) {
      const before = begun.length;
      begin();
      if (begun.length === before) break;
    }
    for (let next = begun.shift(); next !== undefined; next = begun.shift()) {
      const result = await next;
      begin();
      yield result;
    }
  } finally {
    await Promise.allSettled(begun);
  }
}
