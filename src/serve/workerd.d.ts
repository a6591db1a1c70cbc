/** Types for the package workerd, which has none. It is CommonJS, so the path is the default export's `default`. */
declare module "workerd" {
  const workerd: { readonly default: string };
  export default workerd;
}
