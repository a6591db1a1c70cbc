/** What surrounds the code: workflows, templates and the changelog refer to what is there. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runProgram } from "./support/server.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const WORKFLOWS = readdirSync(join(ROOT, ".github/workflows"));
const TEMPLATES = readdirSync(join(ROOT, ".github/ISSUE_TEMPLATE"));

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Manifest {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
}

const { version, scripts } = JSON.parse(read("package.json")) as Manifest;

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly uses?: string;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly permissions: unknown;
  readonly concurrency: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

describe.each(WORKFLOWS)(".github/workflows/%s", (name) => {
  const workflow = parse(read(`.github/workflows/${name}`), { strict: true }) as Workflow;
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps ?? []);
  const commands = steps.flatMap(({ run }) => run ?? []).join("\n");

  it("runs scripts that exist", () => {
    const named = [...commands.matchAll(/npm run ([\w:]+)/g)].map(([, script = ""]) => script);
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
    const files = [...commands.matchAll(/\.ci\/[\w.-]+/g)].map(([path]) => path);
    expect(files.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(named.length + files.length).toBeGreaterThan(0);
  });

  it("uses actions of one major version, and workflows that are here", () => {
    const used = [...jobs, ...steps].flatMap(({ uses }) => uses ?? []);
    const wrong = used.filter((uses) =>
      uses.startsWith("./") ? !existsSync(join(ROOT, uses)) : !/^actions\/[a-z-]+@v\d+$/.test(uses),
    );
    expect(wrong).toEqual([]);
  });

  it("may read the repository, and nothing else unless a job says so", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(workflow.concurrency).toBeDefined();
  });
});

describe.each(TEMPLATES)(".github/ISSUE_TEMPLATE/%s", (name) => {
  it("asks questions, each under an id of its own", () => {
    const form = parse(read(`.github/ISSUE_TEMPLATE/${name}`), { strict: true }) as {
      readonly name: string;
      readonly description: string;
      readonly body: readonly { readonly type: string; readonly id?: string }[];
    };
    expect([form.name, form.description]).not.toContain("");
    const questions = form.body.filter(({ type }) => type !== "markdown").map(({ id }) => id);
    expect(questions).not.toContain(undefined);
    expect(new Set(questions).size).toBe(questions.length);
  });
});

describe(".devcontainer/devcontainer.json", () => {
  it("has the Node that the image has", () => {
    const { build } = JSON.parse(read(".devcontainer/devcontainer.json")) as {
      readonly build: { readonly dockerfile: string };
    };
    const [, base] = /^FROM (\S+)-trixie$/m.exec(read(join(".devcontainer", build.dockerfile))) ?? [];
    expect(read("deploy/Dockerfile")).toContain(`FROM ${base}-trixie-slim`);
  });
});

describe("CHANGELOG.md", () => {
  it("is by version: what is unreleased, then the version of package.json", () => {
    const sections = [...read("CHANGELOG.md").matchAll(/^## (\S+)/gm)].map(([, name]) => name);
    expect(sections.slice(0, 2)).toEqual(["Unreleased", version]);
  });

  it("has the notes of a release, for the tag of this version only", async () => {
    const notes = (tag: string): ReturnType<typeof runProgram> =>
      runProgram(["bash", join(ROOT, ".ci/release-notes"), tag]);
    const { code, output } = await notes(`v${version}`);
    expect(code, output).toBe(0);
    expect(output).not.toMatch(/^## /m);
    expect((await notes("v0.0.0")).output).toBe(
      `The tag is v0.0.0, but package.json has version ${version}.\n`,
    );
  });
});
