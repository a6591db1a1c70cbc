/** A service that has the bucket `shopping`, with `milk` and `mint`. */
export const answers = (line: string): Promise<string> => {
  const known: Readonly<Record<string, string>> = {
    "BUCKETS sh": "shopping\r\nOK\r\n",
    "KEYS shopping mi": "milk\r\nmint\r\nOK\r\n",
    "KEYS shopping mil": "milk\r\nOK\r\n",
    "KEYS nowhere": "NOT FOUND\r\n",
  };
  return Promise.resolve(known[line] ?? "OK\r\n");
};
