/** The recipes: each document's program, against the libraries that it names. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blocks, consoleExamples, pattern, program, typed } from "../e2e/support/documents.ts";
import { installed } from "../e2e/support/installed.ts";
import { RECIPE_URL, startRecipe, type RecipeWorker } from "../e2e/support/recipe-worker.ts";
import { server } from "../e2e/support/shared-server.ts";

const pathOf = (recipe: string): string => `docs/recipes/${recipe}.md`;
const IN_NODE = ["better-auth", "cache-manager"] as const;
const IN_A_WORKER = ["react-router", "unstorage-worker"] as const;
const OAUTH = "workers-oauth-provider";

describe("the recipe for", () => {
  let packages: string;
  const workers: RecipeWorker[] = [];
  beforeAll(async () => {
    const recipes = [...IN_NODE, ...IN_A_WORKER, OAUTH];
    const commands = await Promise.all(recipes.map((recipe) => blocks(pathOf(recipe), "sh")));
    packages = await installed("recipes", commands.flat().join("").split("\n"));
    // The first run installs the libraries.
  }, 300_000);
  afterAll(() => Promise.all(workers.map((worker) => worker.stop())));

  const start = async (recipe: string, language: string): Promise<string> => {
    const worker = await startRecipe(pathOf(recipe), language, packages);
    workers.push(worker);
    return worker.url;
  };

  it.each(IN_NODE)("%s does what it says", async (recipe) => {
    const { expected, printed } = await program(pathOf(recipe), server.http, { packages });
    expect(expected.length).toBeGreaterThan(2);
    expect(printed).toEqual(expected);
  });

  it.each(IN_A_WORKER)("%s does what it says, in a Worker", async (recipe) => {
    const url = await start(recipe, "ts");
    const examples = await consoleExamples(pathOf(recipe));
    expect(examples.length).toBeGreaterThan(2);
    const folder = await mkdtemp(join(tmpdir(), "durable-kv-recipe-"));
    try {
      for (const { command, output } of examples) {
        const printed = await typed(`cd ${folder} && ${command.replaceAll(RECIPE_URL, url)}`, server.http);
        expect([command, printed]).toEqual([command, expect.stringMatching(pattern(output)) as string]);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it(`${OAUTH} authorizes a client by a code, and refreshes its tokens`, async () => {
    const url = await start(OAUTH, "ts worker");
    const { expected, printed } = await program(pathOf(OAUTH), url, {
      language: "ts client",
      documented: RECIPE_URL,
    });
    expect(expected).toHaveLength(5);
    expect(printed).toEqual(expected);
  });
});
