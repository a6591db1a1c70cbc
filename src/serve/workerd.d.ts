/** The engine's package, which has no types of its own: CommonJS, so its default export is one step down. */
declare module "workerd" {
  const workerd: { readonly default: string };
  export default workerd;
}
