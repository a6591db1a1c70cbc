// The types of this Worker's own exports, as `exports` of cloudflare:workers has them.
declare namespace Cloudflare {
  interface GlobalProps {
    mainModule: typeof import("./src/index");
  }
}
