/** The folders of objects are there, and only for their owner, before the engine starts. */

import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeObjectFolders } from "../../src/serve/object-folders.ts";
import { temporaryFolder } from "../e2e/support/server.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

it("the folders of objects are made once, for their owner only, and what is in them is left alone", () => {
  const data = join(folder.path, "data");
  mkdirSync(data);
  const folders = ["one", "two"].map((name) => join(data, name));
  makeObjectFolders(data, folders);
  expect(folders.map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o700]);
  mkdirSync(join(data, "one", "kept"));
  makeObjectFolders(data, folders);
  expect(readdirSync(join(data, "one"))).toEqual(["kept"]);
});
